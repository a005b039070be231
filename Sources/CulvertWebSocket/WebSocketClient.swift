public import CulvertTunnel
public import HTTPTypes
import HTTPWire
public import NIOCore
public import NIOPosix
public import WebSocketWire

/// Opens WebSockets (RFC 6455), through HTTP CONNECT proxies where the configuration or the environment names some.
///
/// ```swift
/// let client = WebSocketClient(configuration: .init { $0.proxy = .environment })
/// try await client.withConnection(to: "wss://example.com/feed") { socket in
///     try await socket.send("hello")
///     for try await message in socket { print(message) }
/// }
/// ```
public struct WebSocketClient: Sendable {
    /// How connections are opened and used.
    public struct Configuration: Sendable {
        /// Which proxies a connection goes through. The environment's by default.
        public var proxy: ProxySetting = .environment
        /// One deadline over name lookup, proxies, their authentication, TLS and the upgrade.
        public var openTimeout: Duration = .seconds(30)
        /// How long the peer may take to answer a close frame before the connection is cut. 5 s: a live peer
        /// answers in a round trip.
        public var closeTimeout: Duration = .seconds(5)
        /// Pings a peer that says nothing, and gives up one that says nothing to that either; nil for never.
        public var keepalive: WebSocketKeepalive? = WebSocketKeepalive()
        /// TLS with the server of a `wss` URL.
        public var tls = TLSOptions()
        /// TLS with `https` proxies.
        public var proxyTLS = TLSOptions()
        /// Fields of the upgrade request, in place of the defaults of the same name: `Host` and `Origin` too.
        public var headerFields: HTTPFields = [:]
        /// Offered in this order; the server chooses one or none.
        public var subprotocols: [String] = []
        /// Whether to offer permessage-deflate (RFC 7692). Off by default: beside secrets, the length of what was
        /// compressed can give them away, and it costs far more CPU and memory than everything else.
        public var compression = WebSocketCompression.disabled
        /// What the peer may send.
        public var limits = WebSocketLimits()
        /// Received messages that wait for the consumer: past the high mark the socket is not read. 1 MiB keeps a
        /// fast link busy while the consumer works.
        public var inboundWatermarks = WebSocketWatermarks(low: 256 * 1024, high: 1024 * 1024)
        /// Sent bytes that wait for the socket: past the high mark `send` suspends.
        public var outboundWatermarks = WebSocketWatermarks(low: 64 * 1024, high: 256 * 1024)
        /// Runs the closure of ``WebSocketClient/withConnection(to:_:)-(String,_)`` on the connection's event loop, so
        /// that no message changes threads: about half the processor time of a small message. For closures that
        /// neither block nor compute for long; off by default, for those that read a terminal or a file.
        public var runsOnEventLoop = false
        /// Fields for the CONNECT to the first proxy. Nobody else sees them.
        public var connectFields: HTTPFields = [:]
        /// Asked for the credentials of a proxy whose URL holds none; see
        /// ``CulvertTunnel/Dialer/Configuration/proxyCredentials``.
        public var proxyCredentials: (@Sendable (ProxyHop) async throws -> ProxyCredentials?)?
        /// How the proxies' challenges are answered.
        public var proxyAuthentication = ProxyAuthOptions()
        /// Told what was assumed or ignored, for example a proxy variable without a port.
        public var onNotice: (@Sendable (String) -> Void)?

        var settings: WebSocketSettings {
            WebSocketSettings(
                role: .client, limits: self.limits, inboundWatermarks: self.inboundWatermarks,
                outboundWatermarks: self.outboundWatermarks, closeTimeout: self.closeTimeout,
                keepalive: self.keepalive)
        }

        /// The defaults.
        public init() {}

        /// The defaults, changed by the closure.
        public init(_ configure: (inout Configuration) throws -> Void) rethrows {
            try configure(&self)
        }
    }

    /// How connections are opened and used.
    public let configuration: Configuration
    private let dialer: Dialer

    /// A client whose connections run on an event loop group, by default the process' shared one.
    public init(
        configuration: Configuration = .init(),
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup
    ) {
        self.configuration = configuration
        self.dialer = Dialer(
            .init {
                $0.proxy = configuration.proxy
                $0.openTimeout = configuration.openTimeout
                $0.proxyTLS = configuration.proxyTLS
                $0.connectFields = configuration.connectFields
                $0.proxyCredentials = configuration.proxyCredentials
                $0.proxyAuthentication = configuration.proxyAuthentication
                $0.onNotice = configuration.onNotice
            },
            eventLoopGroup: eventLoopGroup)
    }

    /// Opens a WebSocket, hands it to the closure, and closes it with a handshake when the closure ends: with 1000
    /// when it returns, with 1001 when it throws or is cancelled.
    ///
    /// - Parameters:
    ///   - url: a `ws` or `wss` URL.
    ///   - body: the use of the connection.
    /// - Throws: ``WebSocketError`` when it cannot be opened; `CancellationError` when the task is cancelled;
    ///   whatever the closure throws.
    public func withConnection<Result>(
        to url: String,
        _ body: (WebSocket) async throws -> Result
    ) async throws -> Result {
        let parsed: WebSocketURL
        do {
            parsed = try WebSocketURL(url)
        } catch {
            throw WebSocketError.invalidRequest("\(error)")
        }
        return try await self.withConnection(to: parsed, body)
    }

    /// Opens a WebSocket to a URL that is parsed already.
    public func withConnection<Result>(
        to url: WebSocketURL,
        _ body: (WebSocket) async throws -> Result
    ) async throws -> Result {
        let socket = try await self.open(url)
        let result: Result
        do {
            let executor = self.configuration.runsOnEventLoop ? socket.executor : nil
            result = try await withTaskExecutorPreference(executor) { try await body(socket) }
        } catch {
            await socket.shutDown(.goingAway)
            throw error
        }
        await socket.shutDown(.normalClosure)
        return result
    }

    private func open(_ url: WebSocketURL) async throws -> WebSocket {
        let deadline = NIODeadline.now() + TimeAmount(self.configuration.openTimeout)
        let handshake = try self.handshake(for: url)
        let configuration = self.configuration
        let opening: WebSocketOpening
        do {
            var plan = try await self.dialer.plan(
                to: url.authority, scheme: url.isSecure ? .wss : .ws,
                tls: url.isSecure ? configuration.tls : nil)
            // What choosing the route took comes off the one deadline.
            plan.timeout = max(.zero, deadline - .now())
            let route = plan.route
            opening = try await self.dialer.dial(plan) { channel in
                try WebSocketOpening.start(
                    handshake, on: channel, route: route, deadline: deadline,
                    configuration: configuration)
            }
        } catch let error as TunnelError {
            if error.code == .cancelled { throw CancellationError() }
            throw WebSocketError.tunnel(error)
        }
        return try await opening.finish()
    }

    private func handshake(for url: WebSocketURL) throws(WebSocketError) -> ClientHandshake {
        var generator = SystemRandomNumberGenerator()
        let nonce = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        do {
            return try ClientHandshake(
                url: url, fields: self.configuration.headerFields,
                subprotocols: self.configuration.subprotocols,
                compression: self.configuration.compression, nonce: nonce)
        } catch {
            throw .invalidRequest("\(error)")
        }
    }
}
