import CulvertTunnel
import Foundation
import Metrics
import ProxyRoutes
import Synchronization

/// What one proxy counts: for the exposition, for the status page and, under the same names, for swift-metrics.
///
/// What happens once per connection or request costs a few atomic additions; bytes are added to the
/// ``TunnelMeter`` of their tunnel, which no other thread writes to.
package final class ProxyMetrics: Sendable {
    private struct Tunnels {
        var open: [UInt64: TunnelMeter] = [:]
        var nextID: UInt64 = 1
        var endedBytesUp: UInt64 = 0
        var endedBytesDown: UInt64 = 0
        // 1,000 names are some 100 KB, and more than a page shows.
        var destinations = TopDestinations(capacity: 1000)
    }

    /// Some reloads' worth of them.
    private static let maxParents = 100

    private let tunnels = Mutex(Tunnels())
    private let parents = Mutex<[String: ParentHealth]>([:])
    private let openConnections = Atomic(0)
    private let health: RouteHealth

    package let connections = MetricCounter(mirror: Counter(label: "culvert_connections_total"))
    package let tunnelsOpened = MetricCounter(mirror: Counter(label: "culvert_tunnels_opened_total"))
    package let requests = MetricCounter(mirror: Counter(label: "culvert_requests_total"))
    package let refusals = MetricCounterFamily("culvert_requests_refused_total", label: "reason")
    package let refusalsByRule = MetricCounterFamily("culvert_rule_refusals_total", label: "rule")
    package let limitRefusals = MetricCounterFamily("culvert_limit_refusals_total", label: "limit")
    package let engines = MetricCounterFamily("culvert_relay_tunnels_total", label: "engine")
    package let dialTime = MetricHistogram("culvert_dial_seconds")
    package let resolveTime = MetricHistogram("culvert_resolve_seconds")
    private let connectionsGauge = Gauge(label: "culvert_connections_open")
    private let tunnelsGauge = Gauge(label: "culvert_tunnels_open")
    private let bytesUpMirror = Counter(label: "culvert_bytes_total", dimensions: [("direction", "up")])
    private let bytesDownMirror = Counter(label: "culvert_bytes_total", dimensions: [("direction", "down")])

    /// - Parameter health: which parents could not be reached lately.
    init(health: RouteHealth) {
        self.health = health
    }

    /// Shows parents before their first use.
    func know(_ routes: [Route]) {
        let names = routes.compactMap(\.hops.first?.description)
        self.parents.withLock { table in
            for name in names where table[name] == nil && table.count < Self.maxParents {
                table[name] = ParentHealth(parent: name)
            }
        }
    }

    // MARK: What happens

    func connectionOpened() {
        self.connections.add()
        self.connectionsGauge.record(self.openConnections.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    /// Its channel will close, and is no end of the connection.
    func connectionKept() {
        self.connectionsGauge.record(self.openConnections.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    func connectionClosed() {
        self.connectionsGauge.record(self.openConnections.wrappingSubtract(1, ordering: .relaxed).newValue)
    }

    /// - Parameter resolveNanoseconds: nil when no name was looked up.
    func dialled(nanoseconds: Int64, resolveNanoseconds: Int64?) {
        self.dialTime.record(nanoseconds: nanoseconds)
        if let resolveNanoseconds { self.resolveTime.record(nanoseconds: resolveNanoseconds) }
    }

    /// - Parameters:
    ///   - parent: the URL of the first hop, without credentials.
    ///   - error: nil for an open tunnel.
    func used(parent: String, error: TunnelError?) {
        let now = Date().timeIntervalSince1970
        self.parents.withLock { table in
            guard table[parent] != nil || table.count < Self.maxParents else { return }
            guard let error else { return table[parent, default: .init(parent: parent)].succeeded(at: now) }
            guard error.isOfParent else { return }
            table[parent, default: .init(parent: parent)].failed(error.description, at: now)
        }
    }

    /// - Parameter engine: the name of what moves its bytes.
    func tunnelOpened(_ entry: AccessLogEntry, engine: String) -> TunnelMeter {
        let (meter, open) = self.tunnels.withLock { tunnels in
            let meter = TunnelMeter(id: tunnels.nextID, entry: entry, engine: engine)
            tunnels.nextID &+= 1
            tunnels.open[meter.id] = meter
            return (meter, tunnels.open.count)
        }
        self.tunnelsOpened.add()
        self.engines.add(engine)
        self.tunnelsGauge.record(open)
        return meter
    }

    func tunnelEnded(_ meter: TunnelMeter) {
        let target = meter.target
        let open: Int? = self.tunnels.withLock { tunnels in
            guard tunnels.open.removeValue(forKey: meter.id) != nil else { return nil }
            tunnels.endedBytesUp &+= meter.bytesUp
            tunnels.endedBytesDown &+= meter.bytesDown
            tunnels.destinations.add(target, bytes: meter.bytesUp &+ meter.bytesDown)
            return tunnels.open.count
        }
        guard let open else { return }
        self.tunnelsGauge.record(open)
        self.bytesUpMirror.increment(by: meter.bytesUp)
        self.bytesDownMirror.increment(by: meter.bytesDown)
    }

    /// A request or tunnel is over, and this is its line; a tunnel's meter was ended before.
    func ended(_ entry: AccessLogEntry, wasTunnel: Bool) {
        self.requests.add()
        if entry.isAllowed, !wasTunnel { self.moved(entry) }
        guard !entry.isAllowed, entry.status > 0 else { return }
        let reason = RefusalReason(status: entry.status).rawValue
        self.refusals.add(reason)
        self.refusalsByRule.add(entry.rule ?? entry.limit ?? reason)
        if let limit = entry.limit { self.limitRefusals.add(limit) }
    }

    /// The bytes of a request that was no tunnel.
    private func moved(_ entry: AccessLogEntry) {
        let name = TopDestinations.name(of: entry.target)
        self.tunnels.withLock { tunnels in
            tunnels.endedBytesUp &+= entry.bytesUp
            tunnels.endedBytesDown &+= entry.bytesDown
            tunnels.destinations.add(name, bytes: entry.bytesUp &+ entry.bytesDown)
        }
        self.bytesUpMirror.increment(by: entry.bytesUp)
        self.bytesDownMirror.increment(by: entry.bytesDown)
    }

    // MARK: What it comes to

    package func totals() -> ProxyTotals {
        let (open, ended) = self.tunnels.withLock { tunnels in
            (Array(tunnels.open.values), (up: tunnels.endedBytesUp, down: tunnels.endedBytesDown))
        }
        var totals = ProxyTotals()
        totals.connectionsOpen = self.openConnections.load(ordering: .relaxed)
        totals.connections = self.connections.value
        totals.tunnelsOpen = open.count
        totals.tunnelsOpened = self.tunnelsOpened.value
        totals.requests = self.requests.value
        totals.refused = self.refusals.values.values.reduce(0, &+)
        totals.bytesUp = open.reduce(ended.up) { $0 &+ $1.bytesUp }
        totals.bytesDown = open.reduce(ended.down) { $0 &+ $1.bytesDown }
        return totals
    }

    package var openTunnels: [TunnelMeter] { self.tunnels.withLock { Array($0.open.values) } }

    /// Where most bytes went, those of open tunnels included.
    package func topDestinations(_ count: Int) -> [TopDestinations.Entry] {
        var (destinations, open) = self.tunnels.withLock { ($0.destinations, Array($0.open.values)) }
        for meter in open { destinations.add(meter.target, bytes: meter.bytesUp &+ meter.bytesDown) }
        return destinations.heaviest(count)
    }

    package var parentsHealth: [ParentHealth] {
        let marked = self.health.marked
        let parents = self.parents.withLock { $0.values.sorted { $0.parent < $1.parent } }
        return parents.map { parent in
            var parent = parent
            parent.avoided = marked[parent.parent]
            return parent
        }
    }

    package var families: [MetricFamily] {
        let totals = self.totals()
        let bytes = [("up", totals.bytesUp), ("down", totals.bytesDown)].map {
            MetricFamily.Sample(labels: [("direction", $0.0)], value: Double($0.1))
        }
        return [
            .init(
                .gauge, "culvert_connections_open", Double(totals.connectionsOpen), "Open client connections."
            ),
            .init(.counter, "culvert_connections_total", Double(totals.connections), "Accepted connections."),
            .init(.gauge, "culvert_tunnels_open", Double(totals.tunnelsOpen), "Open tunnels."),
            .init(.counter, "culvert_tunnels_opened_total", Double(totals.tunnelsOpened), "Opened tunnels."),
            .init(
                .counter, "culvert_requests_total", Double(totals.requests),
                "Requests and tunnels that ended."),
            self.refusals.family("Requests that were refused or failed, by reason."),
            self.refusalsByRule.family(
                "Requests that were refused, by rule, or by reason where no rule has a name."),
            self.limitRefusals.family(
                "Connections and requests beyond a limit, by the limit's setting; unanswered where too many were."
            ),
            .init(
                name: "culvert_bytes_total", help: "Bytes moved, seen from the client.", kind: .counter,
                samples: bytes),
            self.engines.family("Opened tunnels by what moves their bytes."),
            self.dialTime.family("From the decision to the open tunnel."),
            self.resolveTime.family("Name lookups."),
        ] + self.parentFamilies
    }

    private var parentFamilies: [MetricFamily] {
        let parents = self.parentsHealth
        guard !parents.isEmpty else { return [] }
        let dials = parents.flatMap { health in
            [("ok", health.successes), ("failed", health.failures)].map { result, count in
                MetricFamily.Sample(
                    labels: [("parent", health.parent), ("result", result)], value: Double(count))
            }
        }
        let up = parents.compactMap { health in
            health.isUp.map {
                MetricFamily.Sample(labels: [("parent", health.parent)], value: $0 ? 1 : 0)
            }
        }
        let avoided = parents.map {
            MetricFamily.Sample(labels: [("parent", $0.parent)], value: $0.avoided == nil ? 0 : 1)
        }
        return [
            .init(
                name: "culvert_parent_avoided",
                help: "Whether a parent is tried last, because it could not be reached minutes ago.",
                kind: .gauge, samples: avoided),
            .init(
                name: "culvert_parent_dials_total",
                help: "Tunnels through a parent, and failures of its own.",
                kind: .counter, samples: dials),
            .init(
                name: "culvert_parent_up", help: "Whether the last use of a parent succeeded.", kind: .gauge,
                samples: up),
        ]
    }
}

extension TunnelError {
    /// Whether a dial through a parent failed because of the parent.
    fileprivate var isOfParent: Bool {
        switch (self.phase, self.code) {
        case (.connect, .connectionFailed), (.connect, .timedOut), (.proxyTLS, _): true
        // A target's name may be looked up for the rules; that it has no address is the target's fault.
        case (.resolve, .nameNotResolved): self.fault == .network
        case (.proxyConnect, .refusedByProxy): false
        case (.proxyConnect, _): true
        case (.resolve, _), (.configuration, _), (.connect, _), (.targetTLS, _): false
        }
    }
}
