import Foundation
import Synchronization

/// Tells a person how far a run is: on a terminal one line that is rewritten and goes away at the end, elsewhere a
/// line for each group of checks that ended.
///
/// A group is what the runner does in one go, as it likes to cut it: the checks against one server, say. May be
/// called from any thread; a call waits while another is writing.
package final class Progress: Sendable {
    private struct Group {
        var label: String
        var begin: ContinuousClock.Instant
        var results: [CheckResult] = []
    }

    private struct State {
        var total = 0
        var summary = Summary()
        var running: [Group] = []
        var isLineShown = false
    }

    private let style: TerminalStyle
    private let isQuiet: Bool
    private let now: @Sendable () -> ContinuousClock.Instant
    /// In columns, asked at each drawing: windows change their size.
    private let width: @Sendable () -> Int
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameter isQuiet: writes nothing.
    package init(
        style: TerminalStyle, isQuiet: Bool = false,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        width: (@Sendable () -> Int)? = nil, write: @escaping @Sendable (String) -> Void
    ) {
        self.style = style
        self.isQuiet = isQuiet
        self.now = now
        self.width = width ?? { style.width }
        self.write = write
    }

    /// Writes to standard error.
    package static func onStandardError(isQuiet: Bool) -> Progress {
        let style = TerminalStyle(descriptor: STDERR_FILENO)
        return Progress(
            style: style, isQuiet: isQuiet,
            width: { TerminalStyle.width(of: STDERR_FILENO) ?? style.width },
            write: Self.writeToStandardError)
    }

    /// The run begins.
    ///
    /// - Parameter total: how many checks are planned; 0 when nobody knows.
    package func begin(total: Int) {
        self.update { state in
            state = State(total: total)
            return nil
        }
    }

    /// A group of checks begins.
    package func started(_ label: String) {
        let begin = self.now()
        self.update { state in
            state.running.append(Group(label: label, begin: begin))
            return nil
        }
    }

    /// A check ended.
    ///
    /// - Parameter label: of the group it belongs to; nil is the one that began last.
    package func finished(_ result: CheckResult, in label: String? = nil) {
        self.update { state in
            state.summary.count(result.verdict)
            let index = state.running.lastIndex { label == nil || $0.label == label }
            if let index { state.running[index].results.append(result) }
            return nil
        }
    }

    /// A group of checks ended. One that did not begin is ignored.
    package func ended(_ label: String) {
        let end = self.now()
        self.update { state in
            guard let index = state.running.firstIndex(where: { $0.label == label }) else { return nil }
            return self.lines(state.running.remove(at: index), end: end, state)
        }
    }

    /// The run ended. Groups that are still open are told.
    package func end() {
        let end = self.now()
        self.state.withLock { state in
            if state.isLineShown { self.write(Self.erased("")) }
            if !self.isQuiet, !self.style.isLive {
                for group in state.running { self.write(self.lines(group, end: end, state)) }
            }
            state = State()
        }
    }

    /// Changes the state and writes what is to be seen of it: the closure's lines, or the live line.
    private func update(_ change: (inout State) -> String?) {
        self.state.withLock { state in
            let lines = change(&state)
            if self.isQuiet { return }
            if self.style.isLive {
                self.write(Self.erased(self.line(state)))
                state.isLineShown = true
            } else if let lines {
                self.write(lines)
            }
        }
    }

    /// The line is written over the one before it, whatever its length.
    private static func erased(_ line: String) -> String { "\r\(line)\u{1B}[K" }
}

extension Progress {
    /// `412/1500  400 passed, 2 failed, 10 unavailable  Tornado, Netty`, one column short of the width: a terminal
    /// that is written full moves to the next line.
    private func line(_ state: State) -> String {
        let summary = state.summary
        let counts =
            "\(summary.passed) passed, \(summary.failed) failed, \(summary.unavailable) unavailable"
        let running = state.running.map { self.style.safe($0.label) }.joined(separator: ", ")
        return "\(self.count(state))  \(counts)  \(running)"
            .cut(to: max(1, self.width() - 1), ellipsis: self.style.ellipsis)
    }

    /// What a group came to, and its failures.
    private func lines(_ group: Group, end: ContinuousClock.Instant, _ state: State) -> String {
        let summary = Summary(group.results)
        let outcome = Matrix.State(summary)
        let mark = self.style.mark(outcome)
        let head =
            "[\(self.count(state))] \(mark) \(self.style.safe(group.label)): \(summary), "
            + (end - group.begin).text
        let failures = group.results.compactMap { result -> String? in
            guard case .fail = result.verdict, let reason = result.verdict.reason else { return nil }
            let text = self.style.safe("\(result.column) with \(result.runner): \(reason)")
            return "    \(self.style.mark(.fail)) "
                + text.cut(to: max(20, self.width() - 10), ellipsis: self.style.ellipsis)
        }
        return ([head] + failures).map { $0 + "\n" }.joined()
    }

    private func count(_ state: State) -> String {
        let done = "\(state.summary.total)"
        guard state.total > 0 else { return done }
        let total = "\(state.total)"
        return String(repeating: " ", count: max(0, total.count - done.count)) + "\(done)/\(total)"
    }

    /// Writes what it can: nobody is left to be told that standard error is closed or full.
    private static func writeToStandardError(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
    }
}
