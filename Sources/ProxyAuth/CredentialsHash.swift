import Crypto

/// A keyed hash of credentials, by which equal ones are told without the password being kept.
package struct CredentialsHash: Sendable {
    /// With the key, and nothing else yet: each hash begins with a copy.
    private let keyed: HMAC<SHA256>

    /// - Parameter key: random bytes; 32 are SHA-256's own size.
    package init(key: [UInt8]) {
        self.keyed = HMAC(key: SymmetricKey(data: key))
    }

    package func digest(of credentials: ProxyCredentials) -> [UInt8] {
        var code = self.keyed
        // A user name holds no colon (RFC 7617 §2), so this joins the two in one way only.
        code.update(data: Array("\(credentials.user):\(credentials.password.reveal())".utf8))
        return Array(code.finalize())
    }
}
