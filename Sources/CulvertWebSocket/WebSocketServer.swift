import CulvertTunnel
import HTTPTypes
public import Logging
public import NIOCore
public import NIOPosix
public import NIOSSL
public import ServiceLifecycle
import WebSocketWire

/// Listens for WebSockets (RFC 6455), and serves each with a closure in a task of its own.
///
/// ```swift
/// let server = WebSocketServer(.init { $0.addresses = [try .init(ipAddress: "127.0.0.1", port: 8080)] }) { socket in
///     for try await message in socket { try await socket.send(message) }
/// }
/// try await server.run()
/// ```
public struct WebSocketServer: Service {
    /// How a server listens, and whom it lets in.
    public struct Configuration: Sendable {
        /// Where to listen, at least one: Internet addresses (port 0 is a free port) or Unix sockets. 127.0.0.1:8080 by
        /// default: a server open to a network is a decision.
        public var addresses = Self.loopback
        /// Speaks TLS with this certificate and key; nil speaks none. `TLSConfiguration.makeServerConfiguration` makes
        /// one.
        public var tls: TLSConfiguration?
        /// Which requests become WebSockets, and how those are used.
        public var upgrade = WebSocketUpgradeOptions()
        /// Decides on each request for a WebSocket that keeps every rule. Nil accepts. When it throws, the client gets
        /// 500.
        public var onUpgrade: (@Sendable (WebSocketUpgrade) async throws -> WebSocketUpgradeDecision)?
        /// Answers requests that ask for no WebSocket; the connection closes behind the answer. Nil answers 426.
        public var onOtherRequest: (@Sendable (PlainHTTPRequest) async -> Void)?
        /// Runs each closure on its connection's event loop, so that no message changes threads. For closures that neither
        /// block nor compute for long; off by default, as for ``WebSocketClient/Configuration/runsOnEventLoop``.
        public var runsOnEventLoop = false
        /// Connections beyond so many are closed as they come. 10,000: what the usual limit of descriptors allows.
        public var maxConnections = 10_000
        /// How long the closures may go on after the stop, before they are cancelled. 10 s: service managers kill
        /// after 10 to 90.
        public var drainTimeout: Duration = .seconds(10)
        /// Told once where the server listens, with the ports the system chose.
        public var onListening: (@Sendable ([SocketAddress]) -> Void)?

        private static let loopback = [try? SocketAddress(ipAddress: "127.0.0.1", port: 8080)].compactMap(
            \.self)

        /// The defaults.
        public init() {}

        /// The defaults, changed by the closure.
        public init(_ configure: (inout Configuration) throws -> Void) rethrows {
            try configure(&self)
        }
    }

    private let configuration: Configuration
    private let eventLoopGroup: any EventLoopGroup
    private let logger: Logger
    private let body: @Sendable (WebSocket) async throws -> Void

    /// A server that listens once ``run()`` is called.
    ///
    /// - Parameters:
    ///   - configuration: how it listens, and whom it lets in.
    ///   - eventLoopGroup: where its connections live, by default the process' shared loops.
    ///   - logger: for diagnostics, at debug.
    ///   - serve: serves one WebSocket, which is closed with a handshake when it ends: with 1000 when it returns, with
    ///     1011 when it throws, with 1001 when it is cancelled.
    public init(
        _ configuration: Configuration,
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup,
        logger: Logger = Logger(label: "culvert.websocket"),
        serve: @escaping @Sendable (WebSocket) async throws -> Void
    ) {
        precondition(!configuration.addresses.isEmpty, "a server listens on at least one address")
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
        self.body = serve
    }

    /// Listens and serves until the graceful shutdown of its service group; then it closes every WebSocket with 1001
    /// and lets the closures end within ``Configuration/drainTimeout``. Cancelling the task cancels every closure.
    ///
    /// - Throws: ``WebSocketListenError`` when an address cannot be bound; `NIOSSLError` when the certificate cannot be
    ///   used.
    public func run() async throws {
        let context = try self.configuration.tls.map { try NIOSSLContext(configuration: $0) }
        let (requests, incoming) = AsyncStream.makeStream(of: ServerRequest.self)
        let connections = ServerConnections(limit: self.configuration.maxConnections)
        let listeners = try await self.listen(context, connections, incoming)
        self.configuration.onListening?(listeners.compactMap(\.localAddress))

        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await self.serve(requests) {
                    for listener in listeners { try? await listener.closeFuture.get() }
                    incoming.finish()
                    connections.tell(.stopping)
                }
            } onGracefulShutdown: {
                for listener in listeners { listener.close(promise: nil) }
            }
        } onCancel: {
            for listener in listeners { listener.close(promise: nil) }
        }
        connections.closeAll()
    }

    // MARK: Listening

    private func listen(
        _ context: NIOSSLContext?, _ connections: ServerConnections,
        _ incoming: AsyncStream<ServerRequest>.Continuation
    ) async throws -> [any Channel] {
        let options = self.configuration.upgrade
        let otherRequests: WebSocketUpgradeHandler.OtherRequests =
            self.configuration.onOtherRequest == nil
            ? .refuse : .handTo { incoming.deliver(.plain($0)) }
        let bootstrap = ServerBootstrap(group: self.eventLoopGroup)
            // As many as Linux allows by default; it caps the value itself.
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try connections.add(channel)
                    // A Unix socket has no such option.
                    if channel.localAddress?.port != nil {
                        try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
                    }
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                    try pipeline.addHandler(
                        WebSocketUpgradeHandler(options, otherRequests: otherRequests) {
                            incoming.deliver(.upgrade($0))
                        })
                }
            }
        var listeners: [any Channel] = []
        for address in self.configuration.addresses {
            do {
                listeners.append(try await bootstrap.bind(to: address).get())
            } catch {
                for listener in listeners { try? await listener.close() }
                throw WebSocketListenError(address: address, underlying: error)
            }
        }
        return listeners
    }

    // MARK: Serving

    /// Serves requests until none comes any more and all are served, or the drain's time is over.
    private func serve(
        _ requests: AsyncStream<ServerRequest>, untilStopped: @escaping @Sendable () async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withDiscardingTaskGroup { tasks in
                    for await request in requests { tasks.addTask { await self.serve(request) } }
                }
            }
            let drainTimeout = self.configuration.drainTimeout
            group.addTask {
                await untilStopped()
                try? await Task.sleep(for: drainTimeout)
            }
            // Whichever ends first: the last closure, or the drain's time.
            await group.next()
            group.cancelAll()
        }
    }

    private func serve(_ request: ServerRequest) async {
        switch request {
        case .plain(let plain):
            await self.configuration.onOtherRequest?(plain)
        case .upgrade(let upgrade):
            guard let socket = await self.decide(on: upgrade) else { return }
            await withGracefulShutdownHandler {
                await self.serve(socket)
            } onGracefulShutdown: {
                socket.startClosing(.goingAway)
            }
        }
    }

    private func decide(on upgrade: WebSocketUpgrade) async -> WebSocket? {
        do {
            switch try await self.configuration.onUpgrade?(upgrade) ?? .accept() {
            case .accept(let subprotocol, let fields):
                return try await upgrade.accept(subprotocol: subprotocol, headerFields: fields)
            case .refuse(let status, let reason, let fields):
                upgrade.refuse(status, reason: reason, headerFields: fields)
            }
        } catch {
            self.logger.debug("upgrade failed", metadata: ["error": "\(error)"])
            upgrade.refuse(.internalServerError, reason: "the server failed")
        }
        return nil
    }

    private func serve(_ socket: WebSocket) async {
        do {
            let executor = self.configuration.runsOnEventLoop ? socket.executor : nil
            try await withTaskExecutorPreference(executor) { try await self.body(socket) }
            await socket.shutDown(.normalClosure)
        } catch {
            self.logger.debug("serving ended with an error", metadata: ["error": "\(error)"])
            await socket.shutDown(Task.isCancelled ? .goingAway : .internalError)
        }
    }
}

/// What a connection of a server wants.
private enum ServerRequest: Sendable {
    case upgrade(WebSocketUpgrade)
    case plain(PlainHTTPRequest)

    func refuse() {
        switch self {
        case .upgrade(let upgrade): upgrade.refuse(.serviceUnavailable, reason: "the server is stopping")
        case .plain(let plain): plain.respond(HTTPResponse(status: .serviceUnavailable))
        }
    }
}

extension AsyncStream<ServerRequest>.Continuation {
    /// Refuses what comes when nobody takes it any more.
    fileprivate func deliver(_ request: ServerRequest) {
        if case .terminated = self.yield(request) { request.refuse() }
    }
}
