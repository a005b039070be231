import Metrics

/// The proxy's counters, under the names a dashboard sees.
struct ProxyMetrics: Sendable {
    let tunnelsOpen = Gauge(label: "culvert_tunnels_open")
    let tunnelsOpened = Counter(label: "culvert_tunnels_opened_total")
    let bytesUp = Counter(label: "culvert_tunnel_bytes_total", dimensions: [("direction", "up")])
    let bytesDown = Counter(label: "culvert_tunnel_bytes_total", dimensions: [("direction", "down")])
    let dialSeconds = Timer(label: "culvert_dial_seconds")

    func refused(status: Int) {
        Counter(label: "culvert_requests_refused_total", dimensions: [("status", String(status))]).increment()
    }

    /// - Parameter open: how many tunnels are open with this one.
    func opened(afterNanoseconds nanoseconds: Int64, open: Int) {
        self.dialSeconds.recordNanoseconds(nanoseconds)
        self.tunnelsOpened.increment()
        self.tunnelsOpen.record(open)
    }

    /// - Parameter open: how many tunnels are open without this one.
    func ended(_ entry: AccessLogEntry, open: Int) {
        self.bytesUp.increment(by: entry.bytesUp)
        self.bytesDown.increment(by: entry.bytesDown)
        self.tunnelsOpen.record(open)
    }
}
