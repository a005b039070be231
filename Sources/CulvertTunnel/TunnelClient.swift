public import HTTPTypes
public import HTTPWire
public import NIOCore
public import NIOPosix
public import ProxyAuth
public import ProxyRoutes

/// Opens TCP and TLS streams to a host and port along a route of proxies: HTTP CONNECT, plain or inside TLS, and SOCKS.
///
/// ```swift
/// let client = TunnelClient()
/// try await client.withTunnel(to: Authority("example.com:443"), tls: TLSOptions()) { stream in
///     try await stream.write("GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")
///     for try await bytes in stream { print(String(buffer: bytes)) }
/// }
/// ```
///
/// A client has no connection of its own and needs no shutdown; what it learned of a proxy's authentication it keeps
/// for the next tunnel.
public struct TunnelClient: Sendable {
    /// How the client reaches its targets.
    public struct Configuration: Sendable {
        /// Which proxies a connection goes through. The environment's by default.
        public var proxy: ProxySetting = .environment
        /// One deadline over name lookup, proxies, their authentication, and TLS. 30 s: long enough for a slow
        /// proxy's DNS, short enough for a person.
        public var openTimeout: Duration = .seconds(30)
        /// How long a name's addresses count for this client without asking the system again. It tells no time to live;
        /// none by default, so that every connection asks.
        public var nameCacheTime: Duration = .zero
        /// TLS with `https` proxies that have no options of their own (``ProxyHop/tls``).
        public var proxyTLS = TLSOptions()
        /// Fields for the CONNECT to the first proxy, in place of the defaults of the same name. Nobody else sees them.
        public var connectFields: HTTPFields = [:]
        /// Asked for the credentials of a proxy whose URL holds none, for each connection; nil is none. A
        /// ``ProxyCredentialSource`` answers from files, the environment or a command.
        public var proxyCredentials: (@Sendable (ProxyHop) async throws -> ProxyCredentials?)?
        /// How the proxies' challenges are answered.
        public var proxyAuthentication = ProxyAuthOptions()
        /// Told what was assumed or ignored, for example a proxy value without a port.
        public var onNotice: (@Sendable (String) -> Void)?

        /// The defaults.
        public init() {}

        /// The defaults, changed by the closure.
        public init(_ configure: (inout Configuration) throws -> Void) rethrows {
            try configure(&self)
        }
    }

    private let dialer: Dialer

    /// How this client reaches its targets.
    public var configuration: Configuration { self.dialer.configuration }

    /// A client whose connections run on an event loop group, by default the process' shared one.
    public init(
        _ configuration: Configuration = .init(),
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup
    ) {
        self.dialer = Dialer(configuration, eventLoopGroup: eventLoopGroup)
    }

    /// Opens a tunnel, hands its stream to the closure and closes it when the closure returns or throws.
    ///
    /// - Parameters:
    ///   - target: the host and port at the far end.
    ///   - proxy: the proxies of this tunnel, in place of ``Configuration/proxy``.
    ///   - tls: speaks TLS with the target, inside the tunnel; nil leaves a plain stream.
    ///   - isolation: where the closure runs: on the actor that calls.
    ///   - body: the use of the stream, an asynchronous sequence of what comes. Cancelling the task ends it.
    /// - Throws: ``TunnelError`` when no tunnel can be opened; whatever the closure throws.
    public func withTunnel<Result>(
        to target: Authority,
        via proxy: ProxySetting? = nil,
        tls: TLSOptions? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (TunnelStream) async throws -> sending Result
    ) async throws -> sending Result {
        try await self.dialer.withStream(to: target, via: proxy, tls: tls, isolation: isolation, body)
    }

    /// Opens a tunnel for code that works on SwiftNIO channels.
    ///
    /// ```swift
    /// let channel = try await client.connect(to: Authority("db.example:5432")) { channel in
    ///     try channel.pipeline.syncOperations.addHandler(PostgresHandler())
    ///     return channel
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - target: the host and port at the far end.
    ///   - proxy: the proxies of this tunnel, in place of ``Configuration/proxy``.
    ///   - tls: speaks TLS with the target, inside the tunnel; nil leaves a plain stream.
    ///   - configure: adds handlers, on the channel's event loop. Bytes that the target sent early reach them right
    ///     after. The channel allows half-closure: `ChannelEvent.inputClosed` tells the far end's FIN. The caller
    ///     closes the channel.
    /// - Returns: what `configure` returns.
    /// - Throws: ``TunnelError``.
    public func connect<Output: Sendable>(
        to target: Authority,
        via proxy: ProxySetting? = nil,
        tls: TLSOptions? = nil,
        configure: @escaping @Sendable (any Channel) throws -> Output
    ) async throws -> Output {
        try await self.dialer.connect(to: target, via: proxy, tls: tls, configure: configure)
    }
}
