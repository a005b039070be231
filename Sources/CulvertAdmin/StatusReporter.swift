import CulvertProxy
import Foundation

/// Reads a proxy's figures again and again, and makes samples and reports of them.
struct StatusReporter: Sendable {
    /// As many rows as a person reads.
    private static let maxRows = 12
    private static let maxTunnels = 25

    private let proxy: ProxyServer
    private let version: String
    private let startedAt: Double
    private var totals: ProxyTotals
    private var readAt: Double
    private var cpuSeconds: Double?
    private var tunnelBytes: [UInt64: UInt64] = [:]
    private(set) var history = StatusHistory()
    private var process = StatusReport.Process()

    init(_ proxy: ProxyServer, version: String) {
        self.proxy = proxy
        self.version = version
        self.startedAt = Date().timeIntervalSince1970
        self.readAt = self.startedAt
        self.totals = proxy.metrics.totals()
    }

    /// Reads the figures anew. Blocks for as long as `/proc` takes.
    ///
    /// - Parameter now: in seconds since 1970.
    mutating func tick(now: Double) {
        let seconds = now - readAt
        let new = proxy.metrics.totals()
        history.append(StatusSample(at: now, from: totals, to: new, seconds: seconds))
        let figures = ProcessFigures.current()
        process.cpuPercent = figures.cpuSeconds.flatMap { used in
            cpuSeconds.map { max(0, used - $0) / max(seconds, 0.001) * 100 }
        }
        cpuSeconds = figures.cpuSeconds
        process.residentBytes = figures.residentBytes
        process.openDescriptors = figures.openDescriptors
        process.maxDescriptors = figures.maxDescriptors
        totals = new
        readAt = now
    }

    /// Everything as of the last tick; the rates of tunnels are since the last report.
    mutating func report(now: Double, sinceLast seconds: Double) -> StatusReport {
        StatusReport(
            state: proxy.state.rawValue, version: version, time: now, uptime: now - startedAt,
            listeners: proxy.listenAddresses.map(\.description),
            connectionsOpen: totals.connectionsOpen, tunnelsOpen: totals.tunnelsOpen,
            tunnelsOpened: totals.tunnelsOpened, requests: totals.requests, refused: totals.refused,
            bytesUp: totals.bytesUp, bytesDown: totals.bytesDown,
            now: history.samples.last
                ?? StatusSample(at: now, from: totals, to: totals, seconds: 1),
            process: process,
            destinations: proxy.metrics.topDestinations(Self.maxRows).map {
                .init(target: $0.target, requests: $0.requests, bytes: $0.bytes)
            },
            refusals: refusals, parents: parents(now: now),
            tunnels: tunnels(now: now, sinceLast: seconds))
    }

    /// The metrics as Prometheus reads them. Blocks as ``tick(now:)`` does.
    var exposition: String {
        let states = ProxyState.allCases.map { state in
            MetricFamily.Sample(labels: [("state", state.rawValue)], value: state == proxy.state ? 1 : 0)
        }
        let families = [
            MetricFamily(
                name: "culvert_build_info", help: "The version that runs.", kind: .gauge,
                samples: [.init(labels: [("version", version)], value: 1)]),
            MetricFamily(
                name: "culvert_state", help: "Where the proxy is in its life.", kind: .gauge, samples: states),
        ]
        return PrometheusText.render(
            families + proxy.metrics.families + ProcessFigures.current().families)
    }

    private var refusals: [StatusReport.Refusal] {
        let sorted = proxy.metrics.refusalsByRule.values.sorted {
            ($0.value, $1.key) > ($1.value, $0.key)
        }
        return sorted.prefix(Self.maxRows).map { .init(rule: $0.key, count: $0.value) }
    }

    private func parents(now: Double) -> [StatusReport.Parent] {
        proxy.metrics.parentsHealth.map { health in
            StatusReport.Parent(
                parent: health.parent, isUp: health.isUp, successes: health.successes,
                failures: health.failures, lastError: health.lastError,
                sinceSuccess: health.lastSuccess.map { max(0, now - $0) },
                sinceFailure: health.lastFailure.map { max(0, now - $0) },
                avoidedFor: health.avoided.map { $0 / .seconds(1) })
        }
    }

    private mutating func tunnels(now: Double, sinceLast seconds: Double) -> [StatusReport.Tunnel] {
        var bytes: [UInt64: UInt64] = [:]
        let tunnels = proxy.metrics.openTunnels.map { meter in
            let (up, down) = (meter.bytesUp, meter.bytesDown)
            bytes[meter.id] = up &+ down
            let before = tunnelBytes[meter.id] ?? 0
            return StatusReport.Tunnel(
                id: meter.id, client: meter.client, user: meter.user, target: meter.target,
                engine: meter.engine, seconds: max(0, now - meter.openedAt), up: up, down: down,
                rate: Double((up &+ down) &- min(before, up &+ down)) / max(seconds, 0.001))
        }
        tunnelBytes = bytes
        let busiest = tunnels.sorted { ($0.rate, $1.id) > ($1.rate, $0.id) }
        return Array(busiest.prefix(Self.maxTunnels))
    }
}
