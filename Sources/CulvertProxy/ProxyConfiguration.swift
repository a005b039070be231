public import ProxyAuth
public import ProxyPolicy
public import ProxyRoutes

/// How a forward proxy listens, whom it lets in and how it gets out.
public struct ProxyConfiguration: Sendable {
    /// Where to listen. Loopback by default: a proxy open to a network is a decision. Port 0 is a free port.
    public var listeners: [ListenAddress] = [.loopback]
    /// TLS for clients that begin with a ClientHello, on every listener; nil takes none.
    public var tls: ListenerTLS?
    /// Load balancers whose connections begin with a PROXY protocol header; its client address counts everywhere.
    public var proxyProtocolFrom = TrustedPeers()
    /// The users to let in, by Basic. Everybody who can connect is let in when nobody is named here or below.
    public var users: UserTable?
    /// The tokens to let in, by Bearer.
    public var tokens: TokenTable?
    /// The users to let in by Digest.
    public var digestUsers: DigestUserTable?
    /// The users to let in by NTLM, version 2.
    public var ntlmUsers: NTLMUserTable?
    /// Lets in who has a ticket, by Negotiate.
    public var kerberos: KerberosService?
    /// The name of the protection space that a 407 shows.
    public var realm = "Culvert"
    /// Who has which role, for rules: names of users by role.
    public var roles: [String: Set<String>] = [:]
    /// The proxies to go out through, nearest first; none means direct.
    public var upstream = Route.direct
    /// Which way goes to which target, in place of ``upstream``; nil is the one way for all.
    public var routes: RouteRules?
    /// A script that decides which way goes to which target, in place of ``upstream`` and ``routes``.
    public var script: ProxyScript?
    /// Asked for the credentials of parents that a script names; nil is none.
    public var upstreamCredentials: (@Sendable (ProxyHop) async throws -> ProxyCredentials?)?
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
    /// How long a name's addresses count without asking the system again; the rules judge them anew for each request.
    /// The system tells no time to live. 10 s: less than names that move have, and a page's connections ask once. Zero
    /// asks each time.
    public var nameCacheTime: Duration = .seconds(10)
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
    /// Connections, requests and bandwidth of clients and users; what goes beyond is answered 429, or 503 where it is
    /// too much for the proxy, with `Retry-After`.
    public var limits = ProxyLimits()
    /// Plain `http://` requests.
    public var forwarding = ForwardingOptions()
    /// How the bytes of tunnels are moved.
    public var relay = RelayMode.auto
    /// Told of every request and tunnel as it ends.
    public var accessLog: (@Sendable (AccessLogEntry) -> Void)?
    /// Told once where the proxy listens, with the ports the system chose.
    public var onListening: (@Sendable ([ListenAddress]) -> Void)?

    /// Whether anybody must say who they are.
    var asksForUsers: Bool {
        self.users != nil || self.tokens != nil || self.digestUsers != nil || self.ntlmUsers != nil
            || self.kerberos != nil
    }

    /// The realm without what would need an escape, which clients write in different ways.
    var plainRealm: String { self.realm.filter { $0 != "\"" && $0 != "\\" } }

    /// The defaults.
    public init() {}

    /// The defaults, changed by the closure.
    public init(_ configure: (inout ProxyConfiguration) throws -> Void) rethrows {
        try configure(&self)
    }

    /// When the guard against special-purpose addresses is on.
    public enum GuardMode: String, Sendable, Hashable, CaseIterable {
        /// On unless every listener is a loopback address or a Unix socket and no load balancer passes on the
        /// connections of others.
        case auto
        /// Always on.
        case on
        /// Always off.
        case off
    }

    /// The ways to a target, in the order they are tried.
    func routes(to target: Authority) -> [Route] {
        self.routes?.routes(to: target) ?? [self.upstream]
    }

    /// Every way that the configuration names.
    var allRoutes: [Route] {
        self.routes?.rules.flatMap(\.routes) ?? [self.upstream]
    }

    /// The policy with its guard decided.
    var effectivePolicy: AccessPolicy {
        var policy = self.policy
        switch self.guardMode {
        case .auto: policy.addressGuard = self.servesThisHostOnly ? nil : .specialPurpose
        case .on: policy.addressGuard = .specialPurpose
        case .off: policy.addressGuard = nil
        }
        policy.addressGuard?.exceptions = self.guardExceptions
        return policy
    }

    private var servesThisHostOnly: Bool {
        self.listeners.allSatisfy(\.isLoopback) && self.proxyProtocolFrom == TrustedPeers()
    }
}
