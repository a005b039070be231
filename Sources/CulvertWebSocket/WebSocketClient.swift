public import CulvertTunnel
public import HTTPTypes
import HTTPWire
public import Logging
public import Metrics
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
        /// How many redirects of one upgrade are followed. 0: none, an answer of 3xx is an error. Across origins
        /// `Authorization`, `Cookie` and `Host` fields, the URL's user and password, the client certificate and the
        /// TLS server name stay behind; `wss` never becomes `ws`.
        public var maxRedirects = 0
        /// Asked for cookies and told of them.
        public var cookies: WebSocketCookies?
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
        /// ``CulvertTunnel/TunnelClient/Configuration/proxyCredentials``.
        public var proxyCredentials: (@Sendable (ProxyHop) async throws -> ProxyCredentials?)?
        /// How the proxies' challenges are answered.
        public var proxyAuthentication = ProxyAuthOptions()
        /// Told, at debug, of connections that open, fail to, are redirected and end. Never of messages, credentials or
        /// what stands behind the host in a URL.
        public var logger = Logger(label: "culvert.websocket")
        /// Where counters and timers go; nil for the process' `MetricsSystem`.
        public var metrics: (any MetricsFactory)?
        /// Told what was assumed or ignored, for example a proxy variable without a port.
        public var onNotice: (@Sendable (String) -> Void)?

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
    private let metrics: WebSocketMetrics

    /// A client whose connections run on an event loop group, by default the process' shared one.
    public init(
        configuration: Configuration = .init(),
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup
    ) {
        self.configuration = configuration
        self.metrics = configuration.metrics.map { WebSocketMetrics(.client, factory: $0) } ?? .client
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
    ///   - transport: carries the bytes in place of TCP and the proxies; redirects are not followed then.
    ///   - body: the use of the connection.
    /// - Throws: ``WebSocketError`` when it cannot be opened; `CancellationError` when the task is cancelled;
    ///   whatever the closure throws.
    public func withConnection<Result>(
        to url: String,
        over transport: WebSocketTransport? = nil,
        _ body: (WebSocket) async throws -> Result
    ) async throws -> Result {
        let parsed: WebSocketURL
        do {
            parsed = try WebSocketURL(url)
        } catch {
            throw WebSocketError.invalidRequest("\(error)")
        }
        return try await self.withConnection(to: parsed, over: transport, body)
    }

    /// Opens a WebSocket to a URL that is parsed already.
    public func withConnection<Result>(
        to url: WebSocketURL,
        over transport: WebSocketTransport? = nil,
        _ body: (WebSocket) async throws -> Result
    ) async throws -> Result {
        let socket = try await self.open(url, over: transport)
        let result: Result
        do {
            let executor = self.configuration.runsOnEventLoop ? socket.executor : nil
            result = try await withTaskExecutorPreference(executor) { try await body(socket) }
        } catch {
            await socket.shutDown(.goingAway)
            throw error
        }
        await socket.shutDown(.normalClosure)
        self.configuration.logger.debug(
            "closed",
            metadata: ["authority": "\(url.authority)", "code": "\(socket.closeStatus?.code.rawValue ?? 0)"])
        return result
    }

    private func open(_ url: WebSocketURL, over transport: WebSocketTransport?) async throws -> WebSocket {
        let span = OpeningSpan()
        do {
            let socket = try await self.open(url, over: transport, span: span)
            span.opened(socket)
            return socket
        } catch {
            span.failed(error)
            throw error
        }
    }

    private func open(
        _ url: WebSocketURL, over transport: WebSocketTransport?, span: OpeningSpan
    ) async throws -> WebSocket {
        let start = NIODeadline.now()
        var request = WebSocketRequest(url, configuration: self.configuration)
        while true {
            do {
                let socket = try await self.open(request, over: transport, start: start, span: span)
                self.metrics.opening(took: (NIODeadline.now() - start).nanoseconds)
                self.log("opened", request, ["route": "\(socket.route)"])
                return socket
            } catch let error as WebSocketError {
                guard case .upgradeRefused(let refusal) = error,
                    try request.follow(
                        refusal, isAllowed: self.configuration.maxRedirects > 0 && transport == nil)
                else {
                    self.metrics.openingFailed()
                    self.log("opening failed", request, ["error": "\(error)"])
                    throw error
                }
                self.log("redirected", request, [:])
            }
        }
    }

    private func log(
        _ message: Logger.Message, _ request: WebSocketRequest, _ metadata: @autoclosure () -> Logger.Metadata
    ) {
        self.configuration.logger.debug(
            message,
            metadata: metadata().merging(["authority": "\(request.url.authority)"]) { current, _ in current })
    }

    private var settings: WebSocketSettings {
        let configuration = self.configuration
        return WebSocketSettings(
            role: .client, limits: configuration.limits, inboundWatermarks: configuration.inboundWatermarks,
            outboundWatermarks: configuration.outboundWatermarks, closeTimeout: configuration.closeTimeout,
            keepalive: configuration.keepalive, metrics: self.metrics)
    }

    private func open(
        _ request: WebSocketRequest, over transport: WebSocketTransport?, start: NIODeadline,
        span: OpeningSpan
    ) async throws -> WebSocket {
        let cookie = await self.configuration.cookies?.forRequest(request.url)
        let fields = span.fields(
            request.fields(cookie: cookie), for: request.url,
            redirects: self.configuration.maxRedirects - request.redirectsLeft)
        let handshake = try self.handshake(for: request.url, fields: fields)
        let timeline = TimelineBox()
        let deadline = start + TimeAmount(self.configuration.openTimeout)
        let opening = try await self.dial(
            request, over: transport, handshake: handshake, deadline: deadline, timeline: timeline)
        let dialled = NIODeadline.now()
        do {
            let socket = try await opening.finish()
            let now = NIODeadline.now()
            socket.opened(timeline.value, upgrade: now - dialled, total: now - start)
            await self.tellCookies(of: socket.response, from: request.url)
            // The hook takes its time, and may not tell that it was cancelled meanwhile.
            guard !Task.isCancelled else {
                await socket.shutDown(.goingAway)
                throw CancellationError()
            }
            return socket
        } catch let error as WebSocketError {
            if case .upgradeRefused(let refusal) = error {
                await self.tellCookies(of: refusal.response, from: request.url)
            }
            throw error
        }
    }

    private func tellCookies(of response: HTTPResponse, from url: WebSocketURL) async {
        let values = response.headerFields[values: .setCookie]
        if !values.isEmpty { await self.configuration.cookies?.received(values, url) }
    }

    private func dial(
        _ request: WebSocketRequest,
        over transport: WebSocketTransport?,
        handshake: ClientHandshake,
        deadline: NIODeadline,
        timeline: TimelineBox
    ) async throws -> WebSocketOpening {
        let (settings, openTimeout) = (self.settings, self.configuration.openTimeout)
        do {
            var plan = try await self.plan(request, over: transport)
            // What choosing the route took comes off the one deadline.
            plan.timeout = max(.zero, deadline - .now())
            plan.onOpen = { timeline.set($0, $1) }
            return try await self.dialer.dial(plan) { channel in
                try WebSocketOpening.start(
                    handshake, on: channel, route: timeline.route, deadline: deadline, settings: settings,
                    openTimeout: openTimeout)
            }
        } catch let error as TunnelError {
            if error.code == .cancelled { throw CancellationError() }
            throw WebSocketError.tunnel(error)
        }
    }

    private func plan(
        _ request: WebSocketRequest, over transport: WebSocketTransport?
    ) async throws(TunnelError) -> DialPlan {
        let tls = request.url.isSecure ? request.tls : nil
        let scheme: EnvironmentProxies.TargetScheme = request.url.isSecure ? .wss : .ws
        guard let transport else {
            return try await self.dialer.plan(to: request.url.authority, scheme: scheme, tls: tls)
        }
        var plan = try self.dialer.plan(to: request.url.authority, via: .direct, tls: tls)
        switch transport {
        case .unixSocket(let path): plan.transport = .unixSocket(path)
        case .channel(let channel): plan.transport = .channel(channel)
        }
        return plan
    }

    private func handshake(
        for url: WebSocketURL, fields: HTTPFields
    ) throws(WebSocketError) -> ClientHandshake {
        do {
            return try ClientHandshake(
                url: url, fields: fields, subprotocols: self.configuration.subprotocols,
                compression: self.configuration.compression, nonce: RandomBytes.make(16))
        } catch {
            throw .invalidRequest("\(error)")
        }
    }
}
