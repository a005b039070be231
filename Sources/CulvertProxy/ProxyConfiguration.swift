public import HTTPWire
public import ProxyAuth
public import ProxyPolicy
public import ProxyRoutes

/// How a forward proxy listens, whom it lets in and how it gets out.
public struct ProxyConfiguration: Sendable {
    /// Where to listen. Loopback by default: a proxy open to a network is a decision. Port 0 is a free port.
    public var listeners: [ListenAddress] = [.loopback]
    /// The users to let in, by Basic; nil lets everybody in who can connect.
    public var users: UserTable?
    /// The name of the protection space that a 407 shows.
    public var realm = "Culvert"
    /// Who has which role, for rules: names of users by role.
    public var roles: [String: Set<String>] = [:]
    /// The proxies to go out through, nearest first; none means direct.
    public var upstream = Route.direct
    /// TLS with `https` parents.
    public var upstreamTLS = TLSOptions()
    /// How the parents' challenges are answered.
    public var upstreamAuthentication = ProxyAuthOptions()
    /// What clients may reach.
    public var policy = AccessPolicy()
    /// Whether ``AddressGuard/specialPurpose`` stands before loopback, private and other special addresses.
    public var guardMode = GuardMode.auto
    /// Networks that may be reached although the guard is on.
    public var guardExceptions: [IPNetwork] = []
    /// From the first byte of a request's head to its last, and for the first byte on a new connection. 30 s: an
    /// interactive client needs one, a slow attacker gets no more.
    public var headTimeout: Duration = .seconds(30)
    /// From the decision to the open tunnel: name lookup, connect, parents. 30 s, less than most clients wait.
    public var connectTimeout: Duration = .seconds(30)
    /// Ends a tunnel in which no byte moved either way for so long. 10 minutes: above the keepalive of every
    /// usual protocol, ssh's and WebSocket's included.
    public var idleTimeout: Duration = .seconds(600)
    /// How long connections are still accepted after the stop has begun, while ``AdminServer`` already says "not
    /// ready": as long as a load balancer takes to notice. None by default; then the next connection is refused.
    public var drainDelay: Duration = .zero
    /// How long open tunnels may finish after the stop. 10 s: service managers kill after 10 to 90.
    public var drainTimeout: Duration = .seconds(10)
    /// The largest head of a request, in bytes. 16 KiB: Tomcat takes 8, IIS 16, Squid 64.
    public var maxHeadBytes = 16 * 1024
    /// Plain `http://` requests.
    public var forwarding = ForwardingOptions()
    /// How the bytes of tunnels are moved.
    public var relay = RelayMode.auto
    /// Told of every request and tunnel as it ends.
    public var accessLog: (@Sendable (AccessLogEntry) -> Void)?
    /// Told once where the proxy listens, with the ports the system chose.
    public var onListening: (@Sendable ([ListenAddress]) -> Void)?

    /// The defaults.
    public init() {}

    /// The defaults, changed by the closure.
    public init(_ configure: (inout ProxyConfiguration) throws -> Void) rethrows {
        try configure(&self)
    }

    /// When the guard against special-purpose addresses is on.
    public enum GuardMode: String, Sendable, Hashable, CaseIterable {
        /// On unless every listener is a loopback address.
        case auto
        /// Always on.
        case on
        /// Always off.
        case off
    }

    /// The policy with its guard decided.
    var effectivePolicy: AccessPolicy {
        var policy = self.policy
        switch self.guardMode {
        case .auto: policy.addressGuard = self.listeners.allSatisfy(\.isLoopback) ? nil : .specialPurpose
        case .on: policy.addressGuard = .specialPurpose
        case .off: policy.addressGuard = nil
        }
        policy.addressGuard?.exceptions = self.guardExceptions
        return policy
    }
}

/// An address to listen on: a literal, so that no name service decides who can connect.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address; the unspecified one listens on all.
    public let address: IPAddress
    /// The port; 0 is a free one.
    public let port: Int

    /// 127.0.0.1:3128, the port by which forward proxies are known.
    public static let loopback = ListenAddress(address: .v4(0x7F00_0001), port: 3128)

    /// An address from its parts.
    public init(address: IPAddress, port: Int) {
        self.address = address
        self.port = port
    }

    /// Reads `127.0.0.1:3128`, `[::1]:3128`, `localhost:3128`, or a port alone, which means loopback.
    public init?(_ text: some StringProtocol) {
        let host: Substring
        let portText: Substring
        if let colon = text.lastIndex(of: ":") {
            host = Substring(text[..<colon])
            portText = Substring(text[text.index(after: colon)...])
        } else {
            host = "127.0.0.1"
            portText = Substring(text)
        }
        guard let port = UInt16(portText), portText.allSatisfy(\.isNumber) else { return nil }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        let literal = host == "localhost" ? "127.0.0.1" : isBracketed ? host.dropFirst().dropLast() : host
        guard let address = IPAddress(literal) else { return nil }
        if case .v6 = address, !isBracketed { return nil }
        self.init(address: address, port: Int(port))
    }

    /// Whether only this host can connect.
    public var isLoopback: Bool { self.address.isLoopback }

    /// `address:port`, with brackets around IPv6.
    public var description: String {
        if case .v6 = self.address { return "[\(self.address)]:\(self.port)" }
        return "\(self.address):\(self.port)"
    }
}
