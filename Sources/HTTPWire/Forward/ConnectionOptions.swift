internal import HTTPTypes

/// Which fields belong to one connection and end there (RFC 9110 §7.6.1).
struct ConnectionOptions: Sendable, Hashable {
    /// The tokens of every `Connection` line, in lower case.
    private let named: [String]

    init(_ fields: HTTPFields) {
        named = fields.contains(.connection) ? fields.tokens(.connection) : []
    }

    /// Whether `Connection` names the option.
    func contains(_ option: String) -> Bool { named.contains(option) }

    /// Whether the field ends here.
    func strips(_ name: HTTPField.Name) -> Bool {
        let canonical = name.canonicalName
        switch canonical {
        case "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings":
            return true
        // Written anew from the framing as it was understood.
        case "content-length":
            return true
        // RFC 9209 §2: this one is for the client, and lists every proxy on the way.
        case "proxy-status":
            return named.contains(canonical)
        default:
            return canonical.hasPrefix("proxy-") || (!named.isEmpty && named.contains(canonical))
        }
    }
}
