import HTTPWire
import SOCKSWire

/// Who may ask, before any rule is asked.
extension ProxyCore {
    /// Whether a client must show credentials: there are users, and no certificate names one.
    func asksForCredentials(_ client: ConnectedClient) -> Bool {
        self.configuration.users != nil && client.certificateUser == nil
    }

    /// Where certificates are the only way in, a client without one is refused.
    func refusal(ofUser user: String?) -> Rejection? {
        guard self.configuration.tls?.clientAuthoritiesFile != nil, user == nil else { return nil }
        return Rejection(
            status: 403, reason: "no client certificate",
            text: "this proxy lets in clients with a certificate only")
    }
}
