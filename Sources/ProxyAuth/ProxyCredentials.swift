/// What a client proves itself to a proxy with: a user name and password, the hash of one, or a token.
public struct ProxyCredentials: Sendable, Hashable {
    /// The user name. Basic sends it as UTF-8 (RFC 7617 §2.1); a colon in it cannot be sent. NTLM takes
    /// `DOMAIN\user` and `user@realm` apart.
    public var user: String
    /// The password, redacted wherever it is printed.
    public var password: Secret
    /// The NT hash of the password, 16 octets, in its place: NTLM alone can use it.
    package var ntHash: NTHash?
    /// A token in place of user and password: Bearer alone sends it.
    package var token: Secret?

    /// Credentials from a user name and a password.
    public init(user: String, password: Secret) {
        self.user = user
        self.password = password
    }

    /// A bearer token (RFC 6750).
    public static func bearer(_ token: Secret) -> ProxyCredentials {
        var credentials = ProxyCredentials(user: "", password: "")
        credentials.token = token
        return credentials
    }

    /// A user name and the NT hash of the password, so that the password itself need not be kept.
    ///
    /// - Parameter hex: 32 hexadecimal digits, as `smbpasswd` files hold them. nil is returned for anything else.
    public static func ntlm(user: String, ntHash hex: Secret) -> ProxyCredentials? {
        guard let hash = NTHash(hex: hex) else { return nil }
        var credentials = ProxyCredentials(user: user, password: "")
        credentials.ntHash = hash
        return credentials
    }

    /// Whether these can be used with a scheme at all. Negotiate asks for none.
    package func suffice(for scheme: AuthenticationScheme) -> Bool {
        switch scheme {
        case .negotiate: true
        case .bearer: self.token != nil
        case .ntlm: self.token == nil
        case .digest, .basic: self.token == nil && self.ntHash == nil
        }
    }
}

extension ProxyCredentials: CustomStringConvertible {
    /// The user name with the password redacted.
    public var description: String { "\(self.user):\(self.password)" }
}
