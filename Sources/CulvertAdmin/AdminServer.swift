public import CulvertProxy
import CulvertWebSocket
import Foundation
import HTTPTypes
public import Logging
import NIOCore
public import ServiceLifecycle

/// Tells operators and their tools how a proxy is doing, on an address of its own: `/metrics` for Prometheus,
/// `/healthz` and `/readyz` for whoever routes traffic, and a status page for a person.
///
/// ```swift
/// let proxy = ProxyServer(configuration)
/// let admin = AdminServer(.init { $0.address = .init("127.0.0.1:9090")! }, for: proxy)
/// // In this order, so that it outlives the drain and says "not ready" meanwhile.
/// try await ServiceGroup(services: [admin, proxy], logger: logger).run()
/// ```
///
/// It asks for no password and shows users and destinations: bind it to where only operators get.
public struct AdminServer: Service {
    /// Where the admin listener is, and by which names it is called.
    public struct Configuration: Sendable {
        /// Where to listen; port 0 is a free port. Loopback by default.
        public var address = ListenAddress(address: .loopback, port: 9090)
        /// Names by which browsers and scrapers may call it, besides addresses and `localhost`. Any other name in
        /// `Host` is refused: a page of the web could have pointed its own name at this address (DNS rebinding).
        public var hostNames: [String] = []
        /// The version that is shown.
        public var version = ""
        /// Told once where it listens, with the port the system chose.
        public var onListening: (@Sendable (ListenAddress) -> Void)?

        /// The defaults.
        public init() {}

        /// The defaults, changed by the closure.
        public init(_ configure: (inout Configuration) throws -> Void) rethrows {
            try configure(&self)
        }
    }

    private let configuration: Configuration
    private let proxy: ProxyServer
    private let logger: Logger
    private let feed: StatusFeed

    /// 100: some scrapers, probes and open pages; each connection serves one request.
    private static let maxConnections = 100

    /// A listener that is open once ``run()`` is called.
    ///
    /// - Parameters:
    ///   - configuration: where it listens.
    ///   - proxy: whose figures it shows; its clients cannot reach the listener through it.
    ///   - logger: for diagnostics.
    public init(
        _ configuration: Configuration = .init(), for proxy: ProxyServer,
        logger: Logger = Logger(label: "culvert.admin")
    ) {
        self.configuration = configuration
        self.proxy = proxy
        self.logger = logger
        self.feed = StatusFeed(StatusReporter(proxy, version: configuration.version))
    }

    /// Listens and serves until the graceful shutdown of its service group, or until the task is cancelled.
    ///
    /// - Throws: ``CulvertWebSocket/WebSocketListenError`` when the address cannot be bound.
    public func run() async throws {
        let server = WebSocketServer(try self.serverConfiguration(), logger: self.logger) { socket in
            try await self.feed.serve(socket)
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.feed.run() }
            tasks.addTask { try await server.run() }
            // Only the server ends by itself; the feed is cancelled then.
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    private func serverConfiguration() throws -> WebSocketServer.Configuration {
        let router = AdminRouter(hosts: AdminHosts(self.configuration.hostNames))
        let address = self.configuration.address
        return try .init {
            $0.addresses = [try address.socketAddress()]
            $0.maxConnections = Self.maxConnections
            // A page that was left open is no reason to wait.
            $0.drainTimeout = .seconds(1)
            $0.upgrade.openTimeout = .seconds(10)
            // A page only listens.
            $0.upgrade.limits.maxMessageBytes = 1024
            $0.onListening = { self.listening($0) }
            $0.onUpgrade = { router.decide($0.request) }
            $0.onOtherRequest = { request in
                let answer = await self.answer(router.route(request.request))
                request.respond(answer.response, body: answer.body)
            }
        }
    }

    private func listening(_ addresses: [SocketAddress]) {
        let addresses = addresses.compactMap(ListenAddress.init)
        self.proxy.reserve(addresses)
        if let address = addresses.first { self.configuration.onListening?(address) }
    }

    private func answer(_ route: AdminRoute) async -> AdminAnswer {
        switch route {
        case .answer(let answer): answer
        case .health: .text("ok\n")
        case .readiness: .readiness(self.proxy.state)
        case .metrics: .init(.ok, PrometheusText.contentType, await self.feed.exposition())
        case .page: .init(.ok, "text/html; charset=utf-8", StatusPage.html(await self.feed.report()))
        case .json: .init(.ok, "application/json", await self.feed.report().json)
        }
    }
}
