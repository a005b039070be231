public import HTTPTypes
public import HTTPWire
public import NIOCore
public import NIOPosix
package import ProxyRoutes

/// Opens TCP and TLS streams along a route of proxies: HTTP CONNECT, plain or inside TLS, and SOCKS.
///
/// ```swift
/// let dialer = try Dialer(.init { $0.proxy = .hops([try ProxyHop("http://user:password@proxy.example:3128")]) })
/// try await dialer.withStream(to: Authority("example.com:443"), tls: TLSOptions()) { stream in
///     try await stream.write("GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")
///     for try await bytes in stream { print(String(buffer: bytes)) }
/// }
/// ```
public struct Dialer: Sendable {
    /// How the dialer reaches its targets.
    public struct Configuration: Sendable {
        /// Which proxies a connection goes through. The environment's by default.
        public var proxy: ProxySetting = .environment
        /// One deadline over name lookup, proxies, their authentication, and TLS. 30 s: long enough for a slow
        /// proxy's DNS, short enough for a person.
        public var openTimeout: Duration = .seconds(30)
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

    /// How this dialer reaches its targets.
    public let configuration: Configuration
    private let eventLoopGroup: any EventLoopGroup
    private let contexts = TLSContexts()
    private let authStore = ProxyAuthStore()

    /// A year stands for "never"; sums with it cannot overflow.
    private static let longestTimeout = Duration.seconds(365 * 24 * 3600)

    /// A dialer whose connections run on an event loop group, by default the process' shared one.
    public init(
        _ configuration: Configuration = .init(),
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
    }

    /// Opens a stream, hands it to the closure and closes it when the closure returns or throws.
    ///
    /// - Parameters:
    ///   - target: the host and port at the far end.
    ///   - tls: speaks TLS with the target, inside the tunnel; nil leaves a plain stream.
    ///   - body: the use of the stream. Cancelling the task ends it.
    /// - Throws: ``TunnelError`` when no stream can be opened; whatever the closure throws.
    public func withStream<Result>(
        to target: Authority,
        tls: TLSOptions? = nil,
        _ body: (TunnelStream) async throws -> Result
    ) async throws -> Result {
        let channel = try await self.connect(to: target, tls: tls) { channel in
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: true))
        }
        return try await channel.executeThenClose { inbound, _ in
            try await body(TunnelStream(inbound: inbound, channel: channel.channel))
        }
    }

    /// Opens a stream for code that works on SwiftNIO channels.
    ///
    /// - Parameters:
    ///   - target: the host and port at the far end.
    ///   - tls: speaks TLS with the target, inside the tunnel; nil leaves a plain stream.
    ///   - configure: adds handlers, on the channel's event loop. Bytes that the target sent early reach them right
    ///     after. The channel allows half-closure: `ChannelEvent.inputClosed` tells the far end's FIN.
    /// - Returns: what `configure` returns.
    /// - Throws: ``TunnelError``.
    public func connect<Output: Sendable>(
        to target: Authority,
        tls: TLSOptions? = nil,
        configure: @escaping @Sendable (any Channel) throws -> Output
    ) async throws -> Output {
        // Whatever the stream carries, it is the kind of tunnel that `https_proxy` is for.
        let plan = try await self.plan(to: target, scheme: .https, tls: tls)
        return try await self.dial(plan, configure: configure)
    }

    /// Decides the route and prepares TLS; reads certificate files the first time.
    package func plan(
        to target: Authority,
        scheme: EnvironmentProxies.TargetScheme,
        tls: TLSOptions?
    ) async throws(TunnelError) -> DialPlan {
        let route = try await self.withCredentials(try await self.route(to: target, scheme: scheme))
        return try self.plan(to: target, via: route, tls: tls)
    }

    package func plan(
        to target: Authority,
        via route: Route,
        tls: TLSOptions?,
        filter: AddressFilter? = nil
    ) throws(TunnelError) -> DialPlan {
        var hopTLS: [Int: PreparedTLS] = [:]
        for (index, hop) in route.hops.enumerated() where hop.scheme == .https {
            let options = hop.tls ?? self.configuration.proxyTLS
            hopTLS[index] = try self.contexts.prepare(options, for: hop.authority.host)
        }
        var targetTLS: PreparedTLS?
        if let tls { targetTLS = try self.contexts.prepare(tls, for: target.host) }
        let plan = DialPlan(
            target: target, route: route, targetTLS: targetTLS, hopTLS: hopTLS,
            connectFields: self.configuration.connectFields,
            authentication: self.configuration.proxyAuthentication, authStore: self.authStore,
            timeout: TimeAmount(min(self.configuration.openTimeout, Self.longestTimeout)), filter: filter)
        try plan.checkCredentialsForSOCKS()
        return plan
    }

    package func dial<Output: Sendable>(
        _ plan: DialPlan,
        configure: @escaping @Sendable (any Channel) throws -> Output
    ) async throws -> Output {
        var eventLoop = self.eventLoopGroup.next()
        if case .channel(let channel) = plan.transport { eventLoop = channel.eventLoop }
        let attempt = DialAttempt.start(plan, on: eventLoop, configure: configure)
        return try await withTaskCancellationHandler {
            try await attempt.future.get()
        } onCancel: {
            attempt.cancel()
        }
    }

    private func withCredentials(_ route: Route) async throws(TunnelError) -> Route {
        guard let ask = self.configuration.proxyCredentials else { return route }
        var hops = route.hops
        for (index, hop) in hops.enumerated() where hop.credentials == nil {
            do {
                hops[index].credentials = try await ask(hop)
            } catch {
                throw .configuration("no credentials for \(hop): \(error)", underlying: error)
            }
        }
        return Route(hops)
    }

    private func route(
        to target: Authority,
        scheme: EnvironmentProxies.TargetScheme
    ) async throws(TunnelError) -> Route {
        switch self.configuration.proxy {
        case .none:
            return .direct
        case .hops(let hops):
            return Route(hops)
        case .variables(let variables):
            return try self.route(to: target, scheme: scheme, environment: EnvironmentProxies(variables))
        case .resolver(let resolve):
            do {
                return try await resolve(target)
            } catch {
                throw .configuration("the proxy resolver failed for \(target): \(error)", underlying: error)
            }
        }
    }

    private func route(
        to target: Authority,
        scheme: EnvironmentProxies.TargetScheme,
        environment: EnvironmentProxies
    ) throws(TunnelError) -> Route {
        do {
            let (route, assumptions) = try environment.route(to: target, scheme: scheme)
            for notice in environment.warnings + assumptions { self.configuration.onNotice?(notice) }
            return route
        } catch {
            throw .configuration("the environment's proxy cannot be used: \(error)", underlying: error)
        }
    }
}
