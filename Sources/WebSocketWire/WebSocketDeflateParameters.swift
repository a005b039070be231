/// What both sides agreed to for permessage-deflate (RFC 7692 §7.1).
public struct WebSocketDeflateParameters: Sendable, Hashable, CustomStringConvertible {
    /// The answer as the server gave it.
    let terms: DeflateTerms
    /// The client had promised it before it was asked.
    private let clientForgets: Bool

    init(_ terms: DeflateTerms, clientForgets: Bool = false) {
        self.terms = terms
        self.clientForgets = clientForgets
    }

    /// The server's messages do not refer back to the ones before them.
    public var serverNoContextTakeover: Bool { terms.serverNoContextTakeover }
    /// The client's messages do not refer back to the ones before them.
    public var clientNoContextTakeover: Bool { terms.clientNoContextTakeover || clientForgets }
    /// The server's messages refer back over at most 2 to this power bytes, 8 to 15.
    public var serverMaxWindowBits: Int { terms.serverMaxWindowBits ?? 15 }
    /// The client's messages refer back over at most 2 to this power bytes, 8 to 15.
    public var clientMaxWindowBits: Int {
        if case .bits(let bits) = terms.clientMaxWindowBits { bits } else { 15 }
    }

    /// The server's answer, as in `permessage-deflate; server_max_window_bits=12`.
    public var description: String { terms.description }
}
