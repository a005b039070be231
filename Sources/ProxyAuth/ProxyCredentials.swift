/// A user name and password for a proxy.
public struct ProxyCredentials: Sendable, Hashable {
    /// The user name. Basic sends it as UTF-8 (RFC 7617 §2.1); a colon in it cannot be sent.
    public var user: String
    /// The password, redacted wherever it is printed.
    public var password: Secret

    /// Credentials from a user name and a password.
    public init(user: String, password: Secret) {
        self.user = user
        self.password = password
    }
}

extension ProxyCredentials: CustomStringConvertible {
    /// The user name with the password redacted.
    public var description: String { "\(self.user):\(self.password)" }
}
