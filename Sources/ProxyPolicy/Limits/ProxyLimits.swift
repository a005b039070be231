/// What clients and users may use of a proxy. Nothing is limited until it is said.
///
/// A client is an IPv4 address or the /64 network of an IPv6 one, which is what one subscriber has; whoever connects by
/// a Unix socket is none.
public struct ProxyLimits: Sendable, Hashable {
    /// What one client or one user may use.
    public struct Share: Sendable, Hashable {
        /// Connections at once.
        public var connections: Int?
        /// Requests, tunnels among them.
        public var requestRate: RequestRate?
        /// Bytes a second in each direction, over all tunnels and requests together.
        public var bandwidth: Int?

        /// No limit.
        public init() {}
    }

    /// Connections of clients at once, in all.
    public var connections: Int?
    /// What each client may use.
    public var perClient = Share()
    /// What each authenticated user may use, from wherever.
    public var perUser = Share()

    /// No limit.
    public init() {}

    /// No limit, changed by the closure.
    public init(_ configure: (inout ProxyLimits) throws -> Void) rethrows {
        try configure(&self)
    }
}
