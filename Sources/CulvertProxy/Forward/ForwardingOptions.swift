/// How plain `http://` requests are forwarded.
public struct ForwardingOptions: Sendable, Hashable {
    /// Whether they are at all; false leaves CONNECT alone.
    public var isEnabled = true
    /// This proxy's name in `Via` and `Proxy-Status`; letters, digits, `-`, `.` and `_`. nil makes one up for this run.
    /// No two proxies on one way may have the same: a request that names this one is refused as a loop (508).
    public var pseudonym: String?
    /// Ends a request whose next piece of the body does not come for so long (408). 60 s: nginx waits as long.
    public var bodyTimeout: Duration = .seconds(60)
    /// How long a client's connection may wait for its next request. 60 s: browsers come back sooner or not at all.
    public var keepAliveTimeout: Duration = .seconds(60)
    /// How long a connection to a server waits for its next request. 60 s, as Squid's.
    public var originIdleTimeout: Duration = .seconds(60)
    /// How many connections to one server wait on each event loop; 0 closes all. 16: a browser opens 6.
    public var maxIdleConnectionsPerOrigin = 16
    /// How many connections wait on each event loop in all. 512, half of the usual limit of open files.
    public var maxIdleConnections = 512

    /// The defaults.
    public init() {}

    /// The defaults, changed by the closure.
    public init(_ configure: (inout ForwardingOptions) throws -> Void) rethrows {
        try configure(&self)
    }
}
