/// A condition did not come true before its deadline.
struct TimedOut: Error, CustomStringConvertible {
    let what: String

    var description: String { "timed out: \(self.what)" }
}

/// Waits until `condition` holds, looking every few milliseconds.
///
/// For facts about other processes, which announce themselves to nobody. Throws `TimedOut` at the deadline.
func eventually(
    _ what: String, within limit: Duration = .seconds(10), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TimedOut(what: what) }
        try await Task.sleep(for: .milliseconds(5))
    }
}
