/// Why a text is no `host:port`.
public struct AuthorityError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The rule that was broken.
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        /// The host is missing.
        case emptyHost
        /// There is no port, and no default.
        case missingPort
        /// The port is not a number from 1 to 65535 in plain digits.
        case invalidPort
        /// A `user@` stands before the host.
        case userInfo
        /// A character that no host name has: blank, control, percent sign, slash, query, fragment…
        case forbiddenCharacter
        /// Brackets hold something that is not an IPv6 address, or do not pair.
        case invalidBrackets
        /// Several colons without brackets.
        case unbracketedIPv6
        /// The last label is a number, so the name would be an IPv4 address, but not a strict dotted quad.
        case malformedAddress
        /// An IPv6 zone id.
        case zoneID
        /// A label is empty, begins with a hyphen, or is longer than 63 octets.
        case invalidLabel
        /// The name is longer than 253 octets.
        case nameTooLong
        /// An internationalised label that cannot be encoded, or an `xn--` label that cannot be decoded.
        case invalidIDN
    }

    /// The rule that was broken.
    public let reason: Reason
    /// The refused text, control characters escaped, cut after 80 octets.
    public let input: String

    init(_ reason: Reason, _ input: some StringProtocol) {
        self.reason = reason
        // What stands before an @ may be a password.
        self.input = reason == .userInfo ? "…" : ASCII.escaped(input.utf8)
    }

    /// What is wrong, and what a right one looks like.
    public var description: String { "\"\(input)\" is no authority: \(reason.explanation)" }
}

extension AuthorityError.Reason {
    var explanation: String {
        switch self {
        case .emptyHost: "the host is missing; write host:port, such as example.com:443"
        case .missingPort: "the port is missing; write host:port, such as example.com:443"
        case .invalidPort: "the port must be digits from 1 to 65535, such as example.com:443"
        case .userInfo: "user information is not allowed here; write host:port alone"
        case .forbiddenCharacter:
            "a character is not allowed in a host name; write host:port, such as example.com:443"
        case .invalidBrackets: "brackets are for IPv6 addresses only, such as [2001:db8::1]:443"
        case .unbracketedIPv6: "an IPv6 address needs brackets, such as [2001:db8::1]:443"
        case .malformedAddress:
            "a name that ends in a number must be a dotted quad of decimal numbers, such as 192.0.2.1:443"
        case .zoneID: "IPv6 zone ids mean something on one machine only; write [fe80::1]:443"
        case .invalidLabel:
            "each label between dots has 1 to 63 octets and begins with no hyphen, such as www.example.com:443"
        case .nameTooLong: "a host name has at most 253 octets"
        case .invalidIDN:
            "the internationalised name has no valid A-label form, such as xn--bcher-kva.example:443"
        }
    }
}
