public import CulvertTunnel
public import Logging
public import NIOCore
public import NIOPosix
public import ServiceLifecycle

/// A forward proxy: HTTP CONNECT and SOCKS tunnels and plain HTTP requests for whoever its configuration lets in.
///
/// ```swift
/// let server = ProxyServer(.init { $0.listeners = [.loopback] })
/// try await server.run()
/// ```
public struct ProxyServer: Service {
    let core: ProxyCore
    let eventLoopGroup: any EventLoopGroup

    /// A server that listens once ``run()`` is called.
    ///
    /// - Parameters:
    ///   - configuration: how it listens and gets out.
    ///   - eventLoopGroup: where its connections live, by default the process' shared loops.
    ///   - logger: for diagnostics; the access log is ``ProxyConfiguration/accessLog``.
    public init(
        _ configuration: ProxyConfiguration = .init(),
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup,
        logger: Logger = Logger(label: "culvert.proxy")
    ) {
        self.init(configuration, eventLoopGroup: eventLoopGroup, logger: logger, names: nil)
    }

    /// - Parameter names: asked for the addresses of targets and parents; nil is the system.
    init(
        _ configuration: ProxyConfiguration,
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup,
        logger: Logger = Logger(label: "culvert.proxy"),
        names: NameService?
    ) {
        self.core = ProxyCore(configuration, logger: logger, names: names)
        self.eventLoopGroup = eventLoopGroup
    }

    /// Listens and serves until the graceful shutdown of its service group, then drains: open tunnels may finish
    /// within ``ProxyConfiguration/drainTimeout``. Cancelling the task ends everything at once.
    ///
    /// - Throws: ``ListenError`` when an address cannot be bound; ``CulvertTunnel/TunnelError`` when the files for
    ///   TLS with a parent cannot be read.
    public func run() async throws {
        try self.core.warmUp()
        try await self.core.loadScript()
        let listening = try await self.listen()
        self.core.listenAddresses = listening.addresses
        do {
            try self.core.checkParent()
        } catch {
            await listening.close()
            throw error
        }
        self.core.state = .serving
        self.core.configuration.onListening?(self.core.listenAddresses)
        defer { self.core.state = .stopped }

        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await listening.waitUntilClosed()
                await self.drain()
            } onGracefulShutdown: {
                self.core.state = .draining
                // A load balancer sees it, and moves on before a connection is refused.
                let delay = TimeAmount(self.core.configuration.drainDelay)
                self.eventLoopGroup.next().scheduleTask(in: delay) { listening.stop() }
            }
        } onCancel: {
            listening.stop()
            self.core.registry.closeAll()
        }
    }

    /// Replaces the configuration while the server runs: requests from here on meet the new one, open tunnels go on.
    /// The listeners stay as they are.
    ///
    /// - Throws: ``CulvertTunnel/TunnelError`` when the way out cannot work, for example for a missing certificate
    ///   file; then the old configuration stays as a whole.
    public func reload(_ configuration: ProxyConfiguration) throws(TunnelError) {
        try self.core.reload(configuration)
    }

    private func listen() async throws -> Listening {
        let core = self.core
        let bootstrap = ServerBootstrap(group: self.eventLoopGroup)
            // As many as Linux allows by default; it caps the value itself.
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    core.accepted(channel)
                    // A Unix socket has no such option.
                    try? channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
                    try channel.pipeline.syncOperations.addHandler(PortHandler(core))
                }
            }
        return try await Listening.open(core.configuration.listeners, with: bootstrap, front: self.front)
    }

    private func drain() async {
        self.core.state = .draining
        self.core.registry.tell(.begin)
        let registry = self.core.registry
        let timeout = self.core.configuration.drainTimeout
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await Task.sleep(for: timeout)
                guard !Task.isCancelled else { return registry.closeAll() }
                registry.tell(.deadline)
                // What did not end by then has a peer that takes nothing.
                try? await Task.sleep(for: .seconds(1))
                registry.closeAll()
            }
            await registry.waitUntilEmpty()
            group.cancelAll()
        }
    }
}

/// An address that cannot be listened on.
public struct ListenError: Error, CustomStringConvertible {
    /// The address.
    public let address: ListenAddress
    /// The system's error.
    public let underlying: any Error

    /// The address and the system's words.
    public var description: String {
        "cannot listen on \(self.address): \(plainDescription(of: self.underlying))"
    }
}
