/// The parameters of permessage-deflate as they stand in an offer or an answer (RFC 7692 §7.1).
struct DeflateTerms: Hashable, Sendable, CustomStringConvertible {
    /// `client_max_window_bits`, which may come without a value in an offer only.
    enum ClientWindow: Hashable, Sendable {
        /// The client does not know the parameter, or the server asks for nothing.
        case unsaid
        /// The client keeps to what the server asks for.
        case any
        /// No more than so many bits.
        case bits(Int)
    }

    var serverNoContextTakeover = false
    var clientNoContextTakeover = false
    var serverMaxWindowBits: Int?
    var clientMaxWindowBits = ClientWindow.unsaid

    static let name = "permessage-deflate"

    /// What is wrong with the text; one sentence, ours.
    struct Malformed: Error {
        let detail: String
    }

    init() {}

    /// Reads the text of one extension whose name is ``name``.
    init(_ text: String) throws(Malformed) {
        guard let parameters = ExtensionParameters(text) else {
            throw Malformed(detail: "it is malformed")
        }
        var seen: Set<String> = []
        for (name, value) in parameters.pairs {
            guard seen.insert(name).inserted else { throw Malformed(detail: "a parameter comes twice") }
            switch name {
            case "server_no_context_takeover":
                try Self.checkAbsent(value)
                serverNoContextTakeover = true
            case "client_no_context_takeover":
                try Self.checkAbsent(value)
                clientNoContextTakeover = true
            case "server_max_window_bits":
                guard let value else { throw Malformed(detail: "server_max_window_bits has no value") }
                serverMaxWindowBits = try Self.bits(value)
            case "client_max_window_bits":
                clientMaxWindowBits =
                    try value.map { value throws(Malformed) in .bits(try Self.bits(value)) } ?? .any
            default:
                throw Malformed(detail: "it has a parameter that RFC 7692 does not know")
            }
        }
    }

    /// The text, as an element of `Sec-WebSocket-Extensions`.
    var description: String {
        var text = Self.name
        if serverNoContextTakeover { text += "; server_no_context_takeover" }
        if clientNoContextTakeover { text += "; client_no_context_takeover" }
        if let serverMaxWindowBits { text += "; server_max_window_bits=\(serverMaxWindowBits)" }
        switch clientMaxWindowBits {
        case .unsaid: break
        case .any: text += "; client_max_window_bits"
        case .bits(let bits): text += "; client_max_window_bits=\(bits)"
        }
        return text
    }

    private static func checkAbsent(_ value: String?) throws(Malformed) {
        if value != nil { throw Malformed(detail: "a parameter has a value that takes none") }
    }

    /// A decimal number without leading zeros, 8 to 15 (§7.1.2).
    private static func bits(_ value: String) throws(Malformed) -> Int {
        guard let bits = (8...15).first(where: { String($0) == value }) else {
            throw Malformed(detail: "window bits are not a number from 8 to 15")
        }
        return bits
    }
}
