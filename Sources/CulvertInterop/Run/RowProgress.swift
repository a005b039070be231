import Synchronization

/// Tells the progress of a run row by row: a row of a matrix begins with its first result and ends with its last.
final class RowProgress: Sendable {
    private struct Row: Hashable {
        let section: String
        let title: String
    }

    private struct State {
        /// Results to come.
        var remaining: [Row: Int]
        var begun: Set<Row> = []
    }

    private let progress: Progress
    private let state: Mutex<State>

    /// - Parameter expected: section and row of every result to come.
    init(_ progress: Progress, expecting expected: [(section: String, row: String)]) {
        self.progress = progress
        let rows = expected.map { Row(section: $0.section, title: $0.row) }
        self.state = Mutex(State(remaining: Dictionary(rows.map { ($0, 1) }, uniquingKeysWith: +)))
        progress.begin(total: expected.count)
    }

    func finished(_ result: CheckResult) {
        let row = Row(section: result.section, title: result.row)
        let label = "\(row.section): \(row.title)"
        // The lock is held while it is told: the end of a row must not overtake its last result.
        self.state.withLock { state in
            if state.begun.insert(row).inserted { self.progress.started(label) }
            self.progress.finished(result, in: label)
            state.remaining[row, default: 1] -= 1
            if state.remaining[row] == 0 { self.progress.ended(label) }
        }
    }

    func end() { self.progress.end() }
}
