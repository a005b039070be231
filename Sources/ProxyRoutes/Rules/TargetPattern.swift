public import HTTPWire

/// What a rule says about targets: hosts, and perhaps one port.
///
/// - `*`: every target;
/// - `example.com`, `.example.com` (and all below it), `*.example.com`: names, as ``HTTPWire/NamePattern`` reads them;
/// - `10.1.2.3`, `10.0.0.0/8`, `2001:db8::/32`: addresses. They match IP literals only, never resolved names;
/// - any of them with `:port`; IPv6 in brackets then: `[2001:db8::/32]:443`.
public struct TargetPattern: Sendable, Hashable, CustomStringConvertible {
    private enum Hosts: Sendable, Hashable {
        case all
        case names(NamePattern)
        case network(IPNetwork)
    }

    private let hosts: Hosts
    private let port: UInt16?

    /// The pattern as it was written.
    public let description: String

    /// Reads a pattern; nil for what can match nothing.
    public init?(_ text: some StringProtocol) {
        self.description = String(text)
        let (host, port) = Self.parts(Substring(text))
        if let port {
            guard let number = UInt16(port), number > 0, port.utf8.allSatisfy(ASCII.isDigit) else {
                return nil
            }
            self.port = number
        } else {
            self.port = nil
        }
        guard let hosts = Self.hosts(host) else { return nil }
        self.hosts = hosts
    }

    /// Whether it is for every target.
    public var isForAll: Bool { self.hosts == .all && self.port == nil }

    /// Whether it is for this one.
    public func matches(_ target: Authority) -> Bool {
        guard self.port == nil || self.port == target.port else { return false }
        switch (self.hosts, target.host) {
        case (.all, _): return true
        case (.names(let pattern), .name(let name)): return pattern.matches(name)
        case (.network(let network), .address(let address)): return network.contains(address.unmapped)
        case (.names, .address), (.network, .name): return false
        }
    }

    /// A port stands behind the last colon; but one of several colons is part of an IPv6 address.
    private static func parts(_ text: Substring) -> (host: Substring, port: Substring?) {
        if text.first == "[", let end = text.lastIndex(of: "]") {
            let host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            return (host, rest.isEmpty ? nil : rest.first == ":" ? rest.dropFirst() : rest)
        }
        guard let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") else {
            return (text, nil)
        }
        return (text[..<colon], text[text.index(after: colon)...])
    }

    private static func hosts(_ text: Substring) -> Hosts? {
        if text == "*" { return .all }
        if text.contains("/") { return IPNetwork(text).map(Hosts.network) }
        if let address = IPAddress(text) { return .network(IPNetwork(only: address)) }
        return NamePattern(text).map(Hosts.names)
    }
}
