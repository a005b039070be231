import Synchronization

/// A count that one task adds to while others look.
package final class Tally: Sendable {
    private let state = Mutex(0)

    package init() {}

    package var value: Int { self.state.withLock { $0 } }

    package func add(_ count: Int = 1) { self.state.withLock { $0 += count } }

    /// Waits until there is something and no more comes, and returns what there is then. The pause is long enough for a
    /// machine that is busy with other tests.
    package func settled() async throws -> Int {
        var before = -1
        while self.value == 0 || self.value != before {
            before = self.value
            try await Task.sleep(for: .milliseconds(1500))
        }
        return before
    }
}
