/// A user name and password as the octets of RFC 1929.
package struct SOCKSCredentials: Sendable, Hashable {
    package var user: String
    package var password: String

    package init(user: String, password: String) {
        self.user = user
        self.password = password
    }

    /// Whether both fit: a length is one octet, and a name may not be empty.
    var isSendable: Bool { (1...255).contains(self.user.utf8.count) && self.password.utf8.count <= 255 }
}

/// Never the password.
extension SOCKSCredentials: CustomStringConvertible, CustomReflectable {
    package var description: String { "\(self.user):<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: ["user": self.user]) }
}
