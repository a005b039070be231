package import HTTPTypes
package import HTTPWire
package import NIOCore
package import ProxyRoutes

/// All that is decided before the first packet: where to, through what, with which TLS, until when.
package struct DialPlan: Sendable {
    package var target: Authority
    package var route: Route
    /// TLS with the target inside the tunnel; nil leaves a plain stream.
    package var targetTLS: PreparedTLS?
    /// TLS with each `https` hop, by the hop's index.
    package var hopTLS: [Int: PreparedTLS]
    /// Added to, or in place of, the default fields of each CONNECT.
    package var connectFields: HTTPFields
    /// How the hops' challenges are answered.
    package var authentication: ProxyAuthOptions
    /// What worked before with the hops.
    let authStore: ProxyAuthStore
    /// What carries the bytes to the first peer.
    package var transport = DialTransport.network
    /// Told how long each phase took and which route it was, on the event loop, right before the caller's handlers are
    /// added.
    package var onOpen: (@Sendable (TunnelTimeline, Route) -> Void)?
    /// Tried in this order where the route's first proxy cannot be reached.
    package var alternatives: ArraySlice<PlannedRoute> = []
    /// Asked first for the routes, in place of the ones above.
    package var choose: (@Sendable () async throws -> [PlannedRoute])?

    /// Whether one of its ways goes through a proxy, or could.
    package var mayUseProxies: Bool {
        !self.route.hops.isEmpty || !self.alternatives.isEmpty || self.choose != nil
    }

    /// For finding the first peer and connecting to it, while there are alternatives; nil is the whole time.
    package var connectLimit: TimeAmount?
    /// Told, on the event loop, what goes on.
    package var onTrace: (@Sendable (DialTrace) -> Void)?
    /// Asked for addresses.
    var names: NameService
    /// Remembers which proxies cannot be reached.
    var health: RouteHealth?
    /// Told when an alternative is taken: the proxy that could not be reached, why, and the route that is next.
    package var onFallBack: (@Sendable (ProxyHop, TunnelError, Route) -> Void)?
    /// Over everything, name lookup to the last handshake.
    package var timeout: TimeAmount
    /// Judges the addresses of the target when this side resolves it.
    package var filter: AddressFilter?
    /// Resolves and judges the target's name also when a proxy dials it: one forbidden address, or none at all,
    /// and the proxy is not asked.
    package var checksTargetBeforeParent = false
}

/// A route with its TLS prepared.
package struct PlannedRoute: Sendable {
    package let route: Route
    /// TLS with each `https` hop, by the hop's index.
    let hopTLS: [Int: PreparedTLS]
}

/// One stage of a connection, in the order they are built.
enum DialStep {
    case proxyTLS(hop: Int)
    case connect(hop: Int, to: Authority)
    case socks(hop: Int, to: Authority)
    case targetTLS(PreparedTLS)
}

extension DialPlan {
    var firstPeer: Authority { self.route.hops.first?.authority ?? self.target }

    var steps: [DialStep] {
        var steps: [DialStep] = []
        for (index, hop) in self.route.hops.enumerated() {
            if hop.scheme == .https { steps.append(.proxyTLS(hop: index)) }
            let next = self.peer(behind: index)
            steps.append(hop.scheme.isSOCKS ? .socks(hop: index, to: next) : .connect(hop: index, to: next))
        }
        if let targetTLS { steps.append(.targetTLS(targetTLS)) }
        return steps
    }

    /// Where a hop is asked to connect to: the next one, or the target.
    func peer(behind hop: Int) -> Authority {
        self.route.hops.indices.contains(hop + 1) ? self.route.hops[hop + 1].authority : self.target
    }

    /// The names that this side looks up for `socks5` hops, by the hop's index.
    var namesForSOCKS: [(hop: Int, name: String, port: UInt16)] {
        self.route.hops.enumerated().compactMap { index, hop in
            let peer = self.peer(behind: index)
            guard hop.scheme == .socks5, case .name(let name) = peer.host else { return nil }
            return (index, name, peer.port)
        }
    }

    /// Whether a proxy looks the target's name up, out of this side's sight.
    var isTargetResolvedByProxy: Bool {
        guard let last = self.route.hops.last, case .name = self.target.host else { return false }
        return last.scheme != .socks5
    }
}
