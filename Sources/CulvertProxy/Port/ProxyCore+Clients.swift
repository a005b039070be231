import HTTPWire
import SOCKSWire

/// Who may ask, before any rule is asked.
extension ProxyCore {
    /// Who looks at a client's credentials; nil where it needs none: there are no users, or its certificate names one.
    func authenticator(for client: ConnectedClient) -> Authenticator? {
        client.certificateUser == nil ? self.snapshot.authenticator : nil
    }

    /// Where certificates are the only way in, a client without one is refused.
    func refusal(ofUser user: String?) -> Rejection? {
        guard self.configuration.tls?.clientAuthoritiesFile != nil, user == nil else { return nil }
        return Rejection(
            status: 403, reason: "no client certificate",
            text: "this proxy lets in clients with a certificate only")
    }
}
