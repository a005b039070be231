import NIOCore

/// How long each phase of opening a tunnel took, in the order they happened.
public struct TunnelTimeline: Sendable {
    /// One phase with its duration.
    public struct Entry: Sendable {
        /// What was done.
        public var phase: TunnelError.Phase
        /// How long it took.
        public var duration: Duration
    }

    /// The phases that were passed, retries over new connections included.
    public private(set) var entries: [Entry] = []
    private var current: (phase: TunnelError.Phase, since: NIODeadline)?

    init() {}

    var isEmpty: Bool { self.entries.isEmpty && self.current == nil }

    /// The phase that was under way is over, and another begins.
    mutating func enter(_ phase: TunnelError.Phase?, at now: NIODeadline) {
        if let current {
            let duration = Duration.nanoseconds((now - current.since).nanoseconds)
            self.entries.append(Entry(phase: current.phase, duration: duration))
        }
        self.current = phase.map { ($0, now) }
    }
}
