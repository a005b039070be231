import Synchronization

/// When a silent peer is pinged and when it is given up.
///
/// Anything that comes counts as life, the middle of a large message too. A slow consumer, who keeps anything from
/// being heard, is not held against the peer; neither is a full connection that still takes bytes.
public struct WebSocketKeepalive: Sendable, Hashable {
    /// How long nothing may come before a ping goes out. 20 s: below the shortest idle timeouts in use, 30 s at some
    /// load balancers and proxies, so that an idle connection lives.
    public var interval: Duration
    /// How long after the ping nothing may come before the connection is closed with 1011. 20 s: a phone changes
    /// its network in less.
    public var timeout: Duration

    /// An interval and a timeout.
    public init(interval: Duration = .seconds(20), timeout: Duration = .seconds(20)) {
        self.interval = interval
        self.timeout = timeout
    }
}

/// The last round trip that was measured.
final class LatencyGauge: Sendable {
    private let state = Mutex<Duration?>(nil)

    var value: Duration? { self.state.withLock { $0 } }

    func set(_ latency: Duration) { self.state.withLock { $0 = latency } }
}
