import NIOCore

/// Runs tasks on one connection's event loop: between the loop and the task that uses the connection no message changes
/// threads, and what became ready by the connection's own events runs at their end, without a turn of the loop between.
///
/// `@unchecked Sendable`: all but the loop is touched on the loop only.
final class EventLoopTaskExecutor: TaskExecutor, @unchecked Sendable {
    private let eventLoop: any EventLoop
    /// Nil behind the connection's end, which breaks the cycle of references.
    private var handler: WebSocketHandler?
    private var isGathering = false
    private var ready: [UnownedJob] = []

    init(_ eventLoop: any EventLoop, handler: WebSocketHandler) {
        self.eventLoop = eventLoop
        self.handler = handler
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if self.eventLoop.inEventLoop, self.isGathering { return self.ready.append(job) }
        self.eventLoop.execute {
            guard let handler = self.handler else { return self.run(job) }
            handler.takeTurn { self.run(job) }
        }
    }

    private func run(_ job: UnownedJob) {
        job.runSynchronously(on: self.asUnownedTaskExecutor())
    }

    /// What becomes ready from here on waits for ``runReady()``: the caller is in the middle of its work.
    func gather() {
        self.isGathering = true
    }

    /// Runs what became ready since ``gather()``. What that makes ready in turn waits for the loop, so that tasks which
    /// wake each other leave time for others.
    func runReady() {
        self.isGathering = false
        guard !self.ready.isEmpty else { return }
        var jobs: [UnownedJob] = []
        swap(&jobs, &self.ready)
        for job in jobs { self.run(job) }
        jobs.removeAll(keepingCapacity: true)
        // Its storage is used again.
        if self.ready.isEmpty { self.ready = jobs }
    }

    /// The connection is over.
    func release() {
        self.handler = nil
    }
}
