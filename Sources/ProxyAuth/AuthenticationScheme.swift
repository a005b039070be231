/// How a client proves to a proxy who it is (RFC 9110 §11.7), strongest first.
public enum AuthenticationScheme: String, Sendable, Hashable, CaseIterable {
    /// Kerberos through GSSAPI (RFC 4559): the ticket of the logged-in user, no password.
    case negotiate
    /// A hash over the password and the proxy's nonce (RFC 7616).
    case digest
    /// NTLMv2 (MS-NLMP): a hash over the password and both sides' challenges.
    case ntlm
    /// The password itself (RFC 7617).
    case basic
    /// A token (RFC 6750).
    case bearer
}
