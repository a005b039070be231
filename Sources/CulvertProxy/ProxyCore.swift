import CulvertTunnel
import HTTPWire
import Logging
import NIOCore
import ProxyPolicy
import ProxyRoutes
import Synchronization

/// What all connections of one server share.
final class ProxyCore: Sendable {
    private let current: Mutex<ProxySnapshot>
    private let health = RouteHealth()
    let names: NameService
    let registry = ConnectionRegistry()
    let limiter = Limiter()
    let metrics: ProxyMetrics
    let forwarding: ForwardingContext
    /// The engine for every kind of tunnel.
    let glue: any RelayEngine
    /// The engine for plain sockets, where the system has one.
    let splice: (any RelayEngine)?
    let logger: Logger
    private let listeners = Mutex<[ListenAddress]>([])
    private let reserved = Mutex<[ListenAddress]>([])
    private let currentState = Mutex(ProxyState.starting)

    /// - Parameter names: asked for the addresses of targets and parents; nil is the system.
    init(_ configuration: ProxyConfiguration, logger: Logger, names: NameService? = nil) {
        self.names = names ?? NameService(maxAge: TimeAmount(configuration.nameCacheTime))
        self.current = Mutex(ProxySnapshot(configuration, health: self.health, names: self.names))
        self.logger = logger
        self.metrics = ProxyMetrics(health: self.health)
        self.metrics.know(configuration.allRoutes)
        self.forwarding = ForwardingContext(configuration.forwarding)
        self.glue = GlueEngine(registry: self.registry)
        #if os(Linux)
            self.splice = SpliceLoops.shared.map { [registry] in SpliceEngine(loops: $0, registry: registry) }
        #else
            self.splice = nil
        #endif
    }

    /// What counts now. Whoever decides more than one thing of a request takes it once.
    var snapshot: ProxySnapshot { self.current.withLock { $0 } }

    var configuration: ProxyConfiguration { self.snapshot.configuration }

    /// Takes a new configuration as a whole, or throws and stays with the old one. Open tunnels notice nothing.
    func reload(_ configuration: ProxyConfiguration) throws(TunnelError) {
        let next = ProxySnapshot(configuration, health: self.health, names: self.names)
        try self.warmUp(next)
        try self.checkRelay(of: configuration)
        try self.checkParent(of: configuration)
        self.current.withLock { $0 = next }
        self.names.maxAge = TimeAmount(configuration.nameCacheTime)
        self.metrics.know(configuration.allRoutes)
    }

    var state: ProxyState {
        get { self.currentState.withLock { $0 } }
        set { self.currentState.withLock { $0 = newValue } }
    }

    var draining: Bool { self.state == .draining }

    /// Where the server listens, with the ports the system chose.
    var listenAddresses: [ListenAddress] {
        get { self.listeners.withLock { $0 } }
        set { self.listeners.withLock { $0 = newValue } }
    }

    /// Addresses of this process that no client may reach through the proxy, besides its own listeners.
    func reserve(_ addresses: [ListenAddress]) {
        self.reserved.withLock { $0 += addresses }
    }

    /// The request under the rules that count now; they stay the same for it until it ends.
    func judge(_ request: AccessRequest) -> Judgement {
        let snapshot = self.snapshot
        var request = request
        request.roles = request.user.flatMap { snapshot.rolesOfUsers[$0] } ?? []
        return Judgement(request, under: snapshot) { self.isOwn($0, port: $1) }
    }

    /// The way to the target of a request, every address of it judged on the way.
    func plan(for judgement: Judgement) throws(TunnelError) -> DialPlan {
        let snapshot = judgement.snapshot
        let target = judgement.request.target
        guard let script = snapshot.configuration.script else {
            return try self.plan(for: judgement, viaFirstOf: snapshot.configuration.routes(to: target))
        }
        var plan = try self.plan(for: judgement, viaFirstOf: [.direct])
        plan.connectLimit = snapshot.dialer.connectLimit(routes: 2)
        plan.choose = { try await self.ask(script, for: target, scheme: .https, snapshot) }
        return plan
    }

    /// What a script says, ready to be dialled.
    func ask(
        _ script: ProxyScript, for target: Authority, scheme: EnvironmentProxies.TargetScheme,
        _ snapshot: ProxySnapshot
    ) async throws(TunnelError) -> [PlannedRoute] {
        let routes = try await script.routes(for: target, scheme: scheme)
        for parent in routes.compactMap(\.hops.first) where self.isThisProxy(parent) {
            throw .configuration("the script's parent \(parent) is this proxy itself")
        }
        self.metrics.know(routes)
        return try await snapshot.dialer.planned(routes, to: target)
    }

    /// Reads the script, so that a bad file stops the start. What the web does not give now it may give later.
    func loadScript() async throws {
        guard let script = self.configuration.script else { return }
        do {
            try await script.load()
        } catch {
            if case .file = script.source, script.options.onFailure == .error { throw error }
            self.logger.warning("the proxy script cannot be read yet", metadata: ["error": "\(error)"])
        }
    }

    func plan(for judgement: Judgement, viaFirstOf routes: [Route]) throws(TunnelError) -> DialPlan {
        var plan = try judgement.snapshot.dialer.plan(
            to: judgement.request.target, viaFirstOf: routes, tls: nil, filter: judgement.addressFilter)
        plan.checksTargetBeforeParent = judgement.dependsOnAddress
        plan.onFallBack = { parent, error, next in self.fellBack(from: parent, error, to: next) }
        return plan
    }

    /// Tells the counters and the log of a parent in whose place another way is taken.
    func fellBack(from parent: ProxyHop, _ error: TunnelError, to next: Route) {
        self.metrics.used(parent: parent.description, error: error)
        self.logFallBack(from: parent, error, to: next)
    }

    func logFallBack(from parent: ProxyHop, _ error: TunnelError, to next: Route) {
        self.logger.warning(
            "a parent cannot be reached",
            metadata: ["parent": "\(parent)", "error": "\(error)", "next": "\(next)"])
    }

    /// Reads the certificate files of TLS with a parent, so that a bad one stops the start and no event loop reads.
    func warmUp() throws(TunnelError) {
        try self.warmUp(self.snapshot)
        try self.checkRelay(of: self.configuration)
    }

    private func warmUp(_ snapshot: ProxySnapshot) throws(TunnelError) {
        _ = try snapshot.tls.get()
        for route in snapshot.configuration.allRoutes {
            guard let parent = route.hops.first else { continue }
            _ = try snapshot.dialer.plan(to: parent.authority, via: route, tls: nil)
        }
    }

    /// Refuses a parent that is this proxy itself: every request would come back to it until no descriptor is left.
    func checkParent() throws(TunnelError) {
        try self.checkParent(of: self.configuration)
    }

    private func checkParent(of configuration: ProxyConfiguration) throws(TunnelError) {
        for parent in configuration.allRoutes.compactMap(\.hops.first) where self.isThisProxy(parent) {
            throw .configuration("the parent \(parent) is this proxy itself")
        }
    }

    private func isThisProxy(_ parent: ProxyHop) -> Bool {
        switch parent.authority.host {
        case .address(let address): self.isOwn(address, port: parent.authority.port)
        case .name(let name):
            name == "localhost" && self.isOwn(.loopback, port: parent.authority.port)
        }
    }

    func accepted(_ channel: any Channel) {
        self.metrics.connectionOpened()
        self.follow(channel)
    }

    /// A connection that was accepted elsewhere goes on as this channel.
    ///
    /// - Parameter permit: is released with it.
    func adopted(_ channel: any Channel, _ permit: ClientPermit?) {
        if let permit {
            permit.keep()
            channel.closeFuture.whenComplete { _ in permit.release() }
        }
        self.metrics.connectionKept()
        self.follow(channel)
    }

    /// A connection that is counted, to its end.
    private func follow(_ channel: any Channel) {
        self.registry.add(channel)
        channel.closeFuture.whenComplete { _ in self.metrics.connectionClosed() }
    }

    /// Tells the log and the counters of a request or tunnel that is over.
    ///
    /// - Parameter meter: the tunnel's, when it was one.
    func record(_ entry: AccessLogEntry, meter: TunnelMeter? = nil) {
        if let meter { self.metrics.tunnelEnded(meter) }
        self.metrics.ended(entry, wasTunnel: meter != nil)
        self.configuration.accessLog?(entry)
    }

    func isOwn(_ address: IPAddress, port: UInt16) -> Bool {
        let address = address.unmapped
        return self.listenAddresses.contains { Self.isReached($0, by: address, port: port) }
            || self.reserved.withLock { $0 }.contains { Self.isReached($0, by: address, port: port) }
    }

    private static func isReached(_ listener: ListenAddress, by address: IPAddress, port: UInt16) -> Bool {
        guard listener.port == Int(port), let own = listener.address else { return false }
        // To connect to the unspecified address is to connect to this host.
        if address.isUnspecified { return own.isUnspecified || own.isLoopback }
        return own.unmapped == address || (own.isUnspecified && Self.isOfThisHost(address))
    }

    private static func isOfThisHost(_ address: IPAddress) -> Bool {
        if address.isLoopback { return true }
        let devices = (try? System.enumerateDevices()) ?? []
        return devices.contains { $0.address.flatMap(IPAddress.init) == address }
    }
}
