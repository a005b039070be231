import NIOCore

/// Holds back the two directions of a forwarded request while their limit says so.
///
/// Lives on its event loop.
final class ForwardThrottle {
    private let limit: any TrafficLimit
    private let eventLoop: any EventLoop
    private var onResume: (() -> Void)?
    private var paused: Set<RelaySide> = []

    /// - Parameter onResume: called when a direction may move again.
    init(_ limit: any TrafficLimit, on eventLoop: any EventLoop, onResume: @escaping () -> Void) {
        self.limit = limit
        self.eventLoop = eventLoop
        self.onResume = onResume
    }

    func isPaused(_ side: RelaySide) -> Bool { self.paused.contains(side) }

    /// Bytes came from this side.
    func spend(_ bytes: Int, from side: RelaySide) {
        guard bytes > 0 else { return }
        let delay = self.limit.spend(bytes, from: side)
        // What was on its way when the pause began adds to the debt that the next pause pays.
        guard delay > .zero, self.paused.insert(side).inserted else { return }
        self.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.paused.remove(side)
            self.onResume?()
        }
    }

    /// The request is over: nobody is told any more.
    func invalidate() { self.onResume = nil }
}
