import HTTPWire

/// What worked with a proxy, so that the next connection says it unasked and saves a round trip.
package enum ProxyAuthMemory: Sendable, Hashable {
    /// The same field value each time: Basic, Bearer.
    case fixed(String)
    case digest(DigestSession)
    case ntlm
    /// Each connection needs a token of its own.
    case negotiate

    /// Whether it is the connection that is authenticated, and every request on it from then on.
    package var isOfConnection: Bool {
        switch self {
        case .fixed, .digest: false
        case .ntlm, .negotiate: true
        }
    }

    /// What can be said without a challenge: a token, or else the password itself.
    package static func unasked(_ credentials: ProxyCredentials) -> String? {
        if let token = credentials.token { return BearerScheme.authorization(for: token) }
        return credentials.suffice(for: .basic) ? BasicScheme.authorization(for: credentials) : nil
    }

    static let ntlmOffer = "NTLM " + Base64.encode(NTLMNegotiateMessage.bytes)

    /// The field value for the first request on a new connection; nil where a mechanism has to be asked, or nothing
    /// can be said any more.
    package mutating func authorization(
        for request: ProxyAuthenticator.Request, credentials: ProxyCredentials
    ) -> String? {
        switch self {
        case .fixed(let value): return value
        case .ntlm: return Self.ntlmOffer
        case .negotiate: return nil
        case .digest(var session):
            let value = session.authorization(for: request, credentials: credentials)
            self = .digest(session)
            return value
        }
    }
}
