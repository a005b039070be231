public import HTTPWire

/// One rule: what it does, and the conditions that must all hold for it to do so. A condition with nothing in it
/// always holds; one with several values holds when one of them fits.
public struct AccessRule: Sendable, Hashable {
    /// What a rule does with the requests it matches.
    public enum Action: String, Sendable, Hashable, CaseIterable {
        /// Lets them through.
        case allow
        /// Refuses them with 403.
        case deny
    }

    /// Its name in logs and answers.
    public var name: String
    /// What it does.
    public var action: Action
    /// Users; `*` is every authenticated one.
    public var users: Set<String> = []
    /// Roles of the user.
    public var roles: Set<String> = []
    /// Networks of the client.
    public var clients: [IPNetwork] = []
    /// Methods; `CONNECT` is a tunnel.
    public var methods: Set<String> = []
    /// Ports of the target.
    public var ports: [ClosedRange<UInt16>] = []
    /// Names of the target. A target given by its address has none.
    public var names: [NamePattern] = []
    /// Networks of the target, by each address that its name resolves to.
    public var destinations: [IPNetwork] = []

    /// A rule that matches everything, narrowed by the closure.
    public init(_ action: Action, name: String, _ configure: (inout AccessRule) -> Void = { _ in }) {
        self.action = action
        self.name = name
        configure(&self)
    }

    /// How a request fares against the conditions.
    package enum Match: Sendable, Hashable {
        case matches
        /// The condition that does not hold, in words.
        case differs(String)
        /// All others hold; the networks of the target decide, and no address is known yet.
        case dependsOnAddress
    }

    /// - Parameter address: the resolved address, or the target's own; nil before the name is resolved.
    package func match(_ request: AccessRequest, address: IPAddress?) -> Match {
        if let difference = self.difference(from: request) { return .differs(difference) }
        if self.destinations.isEmpty { return .matches }
        guard let address else { return .dependsOnAddress }
        return self.matchesDestination(address)
            ? .matches : .differs("\(address) is in none of \(Self.list(self.destinations))")
    }

    private func difference(from request: AccessRequest) -> String? {
        if !self.users.isEmpty, !self.matchesUser(request.user) {
            return "the user is none of \(Self.list(self.users.sorted()))"
        }
        if !self.roles.isEmpty, self.roles.isDisjoint(with: request.roles) {
            return "the user has none of the roles \(Self.list(self.roles.sorted()))"
        }
        if !self.clients.isEmpty, !self.matchesClient(request.client) {
            return "the client is in none of \(Self.list(self.clients))"
        }
        if !self.methods.isEmpty, !self.methods.contains(request.method) {
            return "\(request.method) is none of \(Self.list(self.methods.sorted()))"
        }
        if !self.ports.isEmpty, !self.ports.contains(where: { $0.contains(request.target.port) }) {
            return "port \(request.target.port) is none of \(Self.list(self.ports.map(Self.text)))"
        }
        if !self.names.isEmpty, !self.matchesName(request.target.host) {
            return "the host is none of \(Self.list(self.names))"
        }
        return nil
    }

    private func matchesUser(_ user: String?) -> Bool {
        guard let user else { return false }
        return self.users.contains(user) || self.users.contains("*")
    }

    private func matchesClient(_ client: IPAddress?) -> Bool {
        guard let client = client?.unmapped else { return false }
        return self.clients.contains { $0.contains(client) }
    }

    private func matchesName(_ host: Authority.Host) -> Bool {
        guard case .name(let name) = host else { return false }
        return self.names.contains { $0.matches(name) }
    }

    /// A rule that denies also sees the IPv4 address that an IPv6 one carries: whoever forbids 10.0.0.0/8 forbids it
    /// by way of NAT64 too. A rule that allows sees the address that the kernel connects to, nothing else.
    private func matchesDestination(_ address: IPAddress) -> Bool {
        var addresses = [address.unmapped]
        if self.action == .deny, let embedded = address.embeddedV4 { addresses.append(embedded) }
        return self.destinations.contains { network in addresses.contains(where: network.contains) }
    }

    private static func list(_ values: [some CustomStringConvertible]) -> String {
        let shown = values.prefix(5).map(\.description).joined(separator: ", ")
        return values.count > 5 ? shown + ", …" : shown
    }

    private static func text(_ range: ClosedRange<UInt16>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }
}
