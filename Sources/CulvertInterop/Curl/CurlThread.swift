import Foundation
import Synchronization

/// Runs an actor's jobs on a thread of its own, where they may block.
///
/// The thread starts with the first job and goes when it had none for a while, so there is nothing to end.
final class CurlThread: SerialExecutor {
    /// Longer than the pause between two calls of one check.
    private static let linger: TimeInterval = 0.25

    // The condition guards the queue; a mutex alone cannot be waited on.
    private let condition = NSCondition()
    private let queue = Queue()

    /// `@unchecked Sendable`: touched with the condition held only.
    private final class Queue: @unchecked Sendable {
        var jobs: [UnownedJob] = []
        var hasThread = false
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.condition.lock()
        defer { self.condition.unlock() }
        self.queue.jobs.append(job)
        if self.queue.hasThread {
            self.condition.signal()
        } else {
            self.queue.hasThread = true
            let thread = Thread { self.run() }
            thread.name = "culvert curl"
            thread.start()
        }
    }

    private func run() {
        while let job = self.next() {
            job.runSynchronously(on: self.asUnownedSerialExecutor())
        }
    }

    private func next() -> UnownedJob? {
        self.condition.lock()
        defer { self.condition.unlock() }
        let end = Date(timeIntervalSinceNow: Self.linger)
        while self.queue.jobs.isEmpty {
            guard self.condition.wait(until: end) || !self.queue.jobs.isEmpty else {
                self.queue.hasThread = false
                return nil
            }
        }
        return self.queue.jobs.removeFirst()
    }
}
