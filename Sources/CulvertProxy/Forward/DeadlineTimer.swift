import NIOCore

/// A deadline that moves with every request and is hardly ever reached: one scheduled task outlives many of them.
///
/// Lives on its event loop.
final class DeadlineTimer {
    private let eventLoop: any EventLoop
    private var onExpiry: (() -> Void)?
    private var deadline: NIODeadline?
    private var task: (at: NIODeadline, scheduled: Scheduled<Void>)?

    /// - Parameter onExpiry: called on the event loop when a deadline passes; may set the next.
    init(on eventLoop: any EventLoop, onExpiry: @escaping () -> Void) {
        self.eventLoop = eventLoop
        self.onExpiry = onExpiry
    }

    func set(in time: TimeAmount) {
        let deadline = NIODeadline.now() + time
        self.deadline = deadline
        if let task, task.at <= deadline { return }
        self.task?.scheduled.cancel()
        self.schedule(at: deadline)
    }

    func clear() {
        self.deadline = nil
    }

    /// For good: lets go of whoever waits.
    func invalidate() {
        self.clear()
        self.onExpiry = nil
        self.task?.scheduled.cancel()
        self.task = nil
    }

    private func schedule(at deadline: NIODeadline) {
        let scheduled = self.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.fired() }
        self.task = (deadline, scheduled)
    }

    private func fired() {
        self.task = nil
        guard let deadline else { return }
        if NIODeadline.now() < deadline { return self.schedule(at: deadline) }
        self.deadline = nil
        self.onExpiry?()
    }
}
