/// A condition did not come true before its deadline.
package struct TimedOut: Error, CustomStringConvertible {
    package let what: String

    package init(what: String) {
        self.what = what
    }

    package var description: String { "timed out: \(self.what)" }
}

/// Waits until `condition` holds, looking every few milliseconds.
///
/// For facts about other processes, which announce themselves to nobody. Throws `TimedOut` at the deadline.
package func eventually(
    _ what: String, within limit: Duration = .seconds(10), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
        // Looked at before the condition: on a busy machine that may take as long, and be of what was before.
        let isLast = ContinuousClock.now >= deadline
        if try await condition() { return }
        guard !isLast else { throw TimedOut(what: what) }
        try await Task.sleep(for: .milliseconds(5))
    }
}
