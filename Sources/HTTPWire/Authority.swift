/// A host and a port: the only way Culvert holds a destination, parsed once and normalised before every rule.
///
/// Names are lower case, without the trailing dot, as A-labels. Whatever two parsers could read differently
/// (octal addresses, percent-encoding, user information, bracketed names) is refused, not repaired.
public struct Authority: Hashable, Sendable, CustomStringConvertible {
    /// A name for DNS, or an address.
    public enum Host: Hashable, Sendable, CustomStringConvertible {
        /// Lower case, no trailing dot, A-labels only.
        case name(String)
        /// A literal address.
        case address(IPAddress)

        /// The host without brackets.
        public var description: String {
            switch self {
            case .name(let name): name
            case .address(let address): address.description
            }
        }
    }

    /// The destination.
    public let host: Host
    /// 1…65535.
    public let port: UInt16

    /// Parses `host:port`, IPv6 in brackets (RFC 9110 §7.2, RFC 3986 §3.2).
    ///
    /// - Parameter defaultPort: used when the text has no port; without it a port is required.
    public init(_ text: some StringProtocol, defaultPort: UInt16? = nil) throws(AuthorityError) {
        let (hostText, portText) = try Self.split(Substring(text))
        let host = try Host(parsing: hostText, within: text)
        if let portText {
            guard let port = Self.port(portText) else { throw AuthorityError(.invalidPort, text) }
            self.init(host, port)
        } else {
            guard let defaultPort, defaultPort > 0 else { throw AuthorityError(.missingPort, text) }
            self.init(host, defaultPort)
        }
    }

    /// A host, with brackets or without, and a port.
    public init(host: some StringProtocol, port: Int) throws(AuthorityError) {
        let parsed = try Host(parsing: Substring(host), within: host)
        guard let number = UInt16(exactly: port), number > 0 else {
            throw AuthorityError(.invalidPort, "\(host):\(port)")
        }
        self.init(parsed, number)
    }

    /// An address is always well formed; `nil` for port 0.
    public init?(_ address: IPAddress, port: UInt16) {
        guard port > 0 else { return nil }
        self.init(.address(address), port)
    }

    private init(_ host: Host, _ port: UInt16) {
        self.host = host
        self.port = port
    }

    /// The host without brackets, as TLS and DNS want it.
    public var hostDescription: String { host.description }

    /// The host as it stands in a URI: IPv6 in brackets.
    package var bracketedHost: String {
        if case .address(.v6) = host { "[\(host)]" } else { host.description }
    }

    /// The wire form, `host:port`.
    public var description: String {
        switch host {
        case .address(let address): address.description(port: Int(port))
        case .name(let name): "\(name):\(port)"
        }
    }
}

extension Authority {
    /// Brackets stay on the host.
    private static func split(_ text: Substring) throws(AuthorityError) -> (Substring, Substring?) {
        let bytes = text.utf8
        let colon = ASCII.colon
        if bytes.contains(UInt8(ascii: "@")) { throw AuthorityError(.userInfo, text) }
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.lastIndex(of: UInt8(ascii: "]")) else {
                throw AuthorityError(.invalidBrackets, text)
            }
            let next = bytes.index(after: end)
            if next == bytes.endIndex { return (text, nil) }
            guard bytes[next] == colon else { throw AuthorityError(.invalidBrackets, text) }
            return (text[..<next], text[bytes.index(after: next)...])
        }
        guard let first = bytes.firstIndex(of: colon) else { return (text, nil) }
        let afterFirst = bytes.index(after: first)
        if bytes[afterFirst...].contains(colon) { throw AuthorityError(.unbracketedIPv6, text) }
        return (text[..<first], text[afterFirst...])
    }

    private static func port(_ text: some StringProtocol) -> UInt16? {
        // Leading zeros are digits too (RFC 3986 §3.2.3), but five digits are all that anybody sends.
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy(ASCII.isDigit) else { return nil }
        guard let number = UInt16(text), number > 0 else { return nil }
        return number
    }
}

extension Authority.Host {
    /// - Parameter whole: the text to show in an error.
    fileprivate init(
        parsing text: Substring, within whole: some StringProtocol
    ) throws(AuthorityError) {
        if text.utf8.isEmpty { throw AuthorityError(.emptyHost, whole) }
        if text.utf8.contains(UInt8(ascii: "@")) { throw AuthorityError(.userInfo, whole) }
        if text.utf8.first == UInt8(ascii: "[") {
            guard text.utf8.last == UInt8(ascii: "]") else { throw AuthorityError(.invalidBrackets, whole) }
            let inner = text.dropFirst().dropLast()
            if inner.utf8.contains(UInt8(ascii: "%")) { throw AuthorityError(.zoneID, whole) }
            guard case .v6? = IPAddress(inner), let address = IPAddress(inner) else {
                throw AuthorityError(.invalidBrackets, whole)
            }
            self = .address(address)
        } else if text.utf8.contains(ASCII.colon) {
            if text.utf8.contains(UInt8(ascii: "%")) { throw AuthorityError(.zoneID, whole) }
            guard let address = IPAddress(text) else { throw AuthorityError(.forbiddenCharacter, whole) }
            self = .address(address)
        } else if text.utf8.first.map(ASCII.isDigit) == true, let address = IPAddress(text) {
            self = .address(address)
        } else {
            let name = try HostName.normalized(text, within: whole)
            if let address = IPAddress(name) {
                self = .address(address)
            } else if HostName.endsInNumber(name) {
                throw AuthorityError(.malformedAddress, whole)
            } else {
                self = .name(name)
            }
        }
    }
}
