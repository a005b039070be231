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
        if !named.isEmpty, named.contains(canonical) { return true }
        // By length first: most names are as long as none of these.
        switch canonical.utf8.count {
        case 2: return canonical == "te"
        case 7: return canonical == "trailer" || canonical == "upgrade"
        case 10: return canonical == "connection" || canonical == "keep-alive"
        // The length is written anew from the framing as it was understood.
        case 14: if canonical == "content-length" || canonical == "http2-settings" { return true }
        case 17: if canonical == "transfer-encoding" { return true }
        default: break
        }
        // RFC 9209 §2: that one is for the client, and lists every proxy on the way.
        return canonical.utf8.starts(with: "proxy-".utf8) && canonical != "proxy-status"
    }
}
