import CulvertProxy

/// One point of the plots: what happened in the second before it.
struct StatusSample: Sendable, Codable, Hashable {
    /// In seconds since 1970.
    var time: Double
    /// Bytes per second from clients to targets.
    var up: Double
    /// Bytes per second from targets to clients.
    var down: Double
    /// Open tunnels.
    var open: Int
    /// Requests and tunnels ended, per second.
    var requests: Double
    /// Tunnels opened, per second.
    var opened: Double
    /// Refused requests, per second.
    var refused: Double

    /// What happened between two readings.
    init(at time: Double, from old: ProxyTotals, to new: ProxyTotals, seconds: Double) {
        func rate(_ old: UInt64, _ new: UInt64) -> Double {
            // A reading that overtook another one shows no movement rather than a wrapped number.
            new > old ? Double(new - old) / max(seconds, 0.001) : 0
        }
        self.time = time
        self.up = rate(old.bytesUp, new.bytesUp)
        self.down = rate(old.bytesDown, new.bytesDown)
        self.open = new.tunnelsOpen
        self.requests = rate(old.requests, new.requests)
        self.opened = rate(old.tunnelsOpened, new.tunnelsOpened)
        self.refused = rate(old.refused, new.refused)
    }
}
