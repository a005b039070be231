package import HTTPWire
package import NIOCore
import NIOPosix
package import ProxyRoutes

/// Plans and dials what a ``TunnelClient`` and the other libraries ask for.
package struct Dialer: Sendable {
    package typealias Configuration = TunnelClient.Configuration

    /// How this dialer reaches its targets.
    package let configuration: Configuration
    private let eventLoopGroup: any EventLoopGroup
    private let contexts = TLSContexts()
    private let authStore = ProxyAuthStore()
    /// Asked for addresses.
    private let names: NameService
    /// Which proxies could not be reached lately.
    package let health: RouteHealth

    /// A year stands for "never"; sums with it cannot overflow.
    private static let longestTimeout = Duration.seconds(365 * 24 * 3600)

    /// A dialer whose connections run on an event loop group, by default the process' shared one.
    ///
    /// - Parameter names: in place of one of its own, which is as the configuration says.
    package init(
        _ configuration: Configuration = .init(),
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup,
        health: RouteHealth = RouteHealth(),
        names: NameService? = nil
    ) {
        self.names = names ?? NameService(maxAge: TimeAmount(configuration.nameCacheTime))
        self.configuration = configuration
        self.health = health
        self.eventLoopGroup = eventLoopGroup
    }

    /// Opens a stream, hands it to the closure and closes it when the closure returns or throws.
    package func withStream<Result>(
        to target: Authority,
        via proxy: ProxySetting? = nil,
        tls: TLSOptions? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (TunnelStream) async throws -> sending Result
    ) async throws -> sending Result {
        let channel = try await self.connect(to: target, via: proxy, tls: tls) { channel in
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: true))
        }
        return try await channel.executeThenClose(isolation: isolation) { inbound, _ in
            try await body(TunnelStream(inbound: inbound, channel: channel.channel))
        }
    }

    /// Opens a stream and adds the caller's handlers on its event loop.
    package func connect<Output: Sendable>(
        to target: Authority,
        via proxy: ProxySetting? = nil,
        tls: TLSOptions? = nil,
        configure: @escaping @Sendable (any Channel) throws -> Output
    ) async throws -> Output {
        // Whatever the stream carries, it is the kind of tunnel that `https_proxy` is for.
        let plan = try await self.plan(to: target, via: proxy, scheme: .https, tls: tls)
        return try await self.dial(plan, configure: configure)
    }

    /// Decides the routes and prepares TLS; reads certificate files the first time.
    ///
    /// - Parameter proxy: in place of the configuration's.
    package func plan(
        to target: Authority,
        via proxy: ProxySetting? = nil,
        scheme: EnvironmentProxies.TargetScheme,
        tls: TLSOptions?
    ) async throws(TunnelError) -> DialPlan {
        var routes: [Route] = []
        for route in try await self.routes(to: target, proxy ?? self.configuration.proxy, scheme: scheme) {
            routes.append(try await self.withCredentials(route))
        }
        var plan = try self.plan(to: target, viaFirstOf: routes, tls: tls)
        plan.onFallBack = { [onNotice = self.configuration.onNotice] _, error, next in
            onNotice?("\(error.detail); trying \(next)")
        }
        return plan
    }

    /// - Parameter routes: tried one after the other until the first proxy of one can be reached; those that could not
    ///   lately come last.
    package func plan(
        to target: Authority,
        viaFirstOf routes: [Route],
        tls: TLSOptions?,
        filter: AddressFilter? = nil
    ) throws(TunnelError) -> DialPlan {
        let ordered = self.health.order(routes)
        guard let first = ordered.first else { throw .configuration("no route leads to \(target)") }
        var plan = try self.plan(to: target, via: first, tls: tls, filter: filter)
        for route in ordered.dropFirst() {
            let other = try self.plan(to: target, via: route, tls: nil)
            plan.alternatives.append(PlannedRoute(route: route, hopTLS: other.hopTLS))
        }
        plan.connectLimit = self.connectLimit(routes: routes.count)
        return plan
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
        var plan = DialPlan(
            target: target, route: route, targetTLS: targetTLS, hopTLS: hopTLS,
            connectFields: self.configuration.connectFields,
            authentication: self.configuration.proxyAuthentication, authStore: self.authStore,
            names: self.names, timeout: self.timeout, filter: filter)
        plan.health = self.health
        try plan.checkCredentialsForSOCKS()
        return plan
    }

    /// The authentication with a proxy that gets one request without a tunnel; of one memory with that of tunnels.
    package func authentication(with proxy: ProxyHop, on eventLoop: any EventLoop) -> HopAuthentication {
        HopAuthentication(
            proxy, options: self.configuration.proxyAuthentication, store: self.authStore, on: eventLoop)
    }

    /// Over everything that a dial does.
    package var timeout: TimeAmount { TimeAmount(min(self.configuration.openTimeout, Self.longestTimeout)) }

    /// What connecting to one proxy of several may take: a share of the time, and no more than a person takes for
    /// a dead proxy.
    package func connectLimit(routes count: Int) -> TimeAmount {
        min(Self.longestConnect, .nanoseconds(self.timeout.nanoseconds / Int64(max(1, count))))
    }

    private static let longestConnect = TimeAmount.seconds(10)

    package func dial<Output: Sendable>(
        _ plan: DialPlan,
        configure: @escaping @Sendable (any Channel) throws -> Output
    ) async throws -> Output {
        var eventLoop = self.eventLoopGroup.next()
        if case .channel(let channel) = plan.transport { eventLoop = channel.eventLoop }
        let attempt = DialAttempt.start(
            plan, on: eventLoop, isCancelled: Task.isCancelled, configure: configure)
        return try await withTaskCancellationHandler {
            try await attempt.future.get()
        } onCancel: {
            attempt.cancel()
        }
    }

    /// For routes that are known only once the deadline runs: what ``plan(to:viaFirstOf:tls:filter:)`` prepares.
    package func planned(_ routes: [Route], to target: Authority) async throws(TunnelError) -> [PlannedRoute]
    {
        var planned: [PlannedRoute] = []
        for route in self.health.order(routes) {
            let plan = try self.plan(to: target, via: try await self.withCredentials(route), tls: nil)
            planned.append(PlannedRoute(route: plan.route, hopTLS: plan.hopTLS))
        }
        return planned
    }

    /// The route with the credentials that its URLs do not hold.
    package func withCredentials(_ route: Route) async throws(TunnelError) -> Route {
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

    /// The ways to a target, in the order of the setting.
    package func routes(
        to target: Authority,
        _ setting: ProxySetting,
        scheme: EnvironmentProxies.TargetScheme
    ) async throws(TunnelError) -> [Route] {
        switch setting {
        case .none:
            return [.direct]
        case .hops(let hops):
            return [Route(hops)]
        case .rules(let rules):
            return rules.routes(to: target)
        case .variables(let variables):
            return [try self.route(to: target, scheme: scheme, environment: EnvironmentProxies(variables))]
        case .script(let script):
            return try await script.routes(for: target, scheme: scheme)
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
