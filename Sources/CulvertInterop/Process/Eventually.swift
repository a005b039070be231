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
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TimedOut(what: what) }
        try await Task.sleep(for: .milliseconds(5))
    }
}
