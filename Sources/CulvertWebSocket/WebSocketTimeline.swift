public import CulvertTunnel
import Synchronization

/// How long the parts of opening a WebSocket took.
public struct WebSocketTimeline: Sendable {
    /// Name lookup, connecting, each proxy, TLS. Empty phases are left out.
    public let tunnel: TunnelTimeline
    /// From the request to the answer, redirects not included.
    public let upgrade: Duration
    /// Everything, with choosing the route and redirects.
    public let total: Duration
}

extension WebSocketTimeline: CustomStringConvertible {
    /// One line: `name lookup 0.8 ms, connect 20.1 ms, …, upgrade 21.0 ms; 63.2 ms in all`.
    public var description: String {
        var parts = self.tunnel.entries.map { "\($0.phase) \(Self.milliseconds($0.duration))" }
        parts.append("upgrade \(Self.milliseconds(self.upgrade))")
        return "\(parts.joined(separator: ", ")); \(Self.milliseconds(self.total)) in all"
    }

    private static func milliseconds(_ duration: Duration) -> String {
        "\(Double((duration / .microseconds(100)).rounded()) / 10) ms"
    }
}

/// Carries a dial's timeline and route from the event loop to its caller.
final class TimelineBox: Sendable {
    private let state = Mutex<(timeline: TunnelTimeline?, route: Route)>((nil, .direct))

    var value: TunnelTimeline? { self.state.withLock { $0.timeline } }

    /// The one of several that could be reached.
    var route: Route { self.state.withLock { $0.route } }

    func set(_ timeline: TunnelTimeline, _ route: Route) { self.state.withLock { $0 = (timeline, route) } }
}
