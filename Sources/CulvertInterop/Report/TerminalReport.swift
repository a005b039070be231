/// A report as text for a terminal or a log: the matrices, what failed, what could not be tried and why, the counts.
package struct TerminalReport: Sendable {
    /// A whole page of a server's answer tells a reader no more than its start; the other formats have it all.
    private static let detailLimit = 400

    private let report: Report
    private let style: TerminalStyle

    package init(_ report: Report, style: TerminalStyle) {
        self.report = report
        self.style = style
    }

    /// Lines that end with a line feed.
    package var text: String {
        let matrices = self.report.matrices.filter { !$0.results.isEmpty }
        var blocks = matrices.map { matrix in
            self.heading(matrix.title) + TerminalTable(matrix, style: self.style).lines
        }
        if !matrices.isEmpty { blocks.append(self.legend(matrices)) }
        blocks.append(self.list("Failed", self.report.failures, .red))
        blocks.append(self.list("Unavailable", self.report.unavailabilities, .dim))
        blocks.append(self.conclusion)
        return blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
    }

    private func heading(_ title: String) -> [String] {
        self.style.safe(title).wrapped(to: self.style.width).map { self.style.paint($0, .bold) }
    }

    /// What the marks mean that are used, in one line where it fits.
    private func legend(_ matrices: [Matrix]) -> [String] {
        let used = Set(
            matrices.flatMap { matrix in
                matrix.rows.flatMap { row in matrix.columns.compactMap { matrix[row, $0]?.state } }
            })
        let states = Matrix.State.allCases.filter(used.contains)
        let plain = states.map { "\(self.style.mark($0)) \($0.words)" }.joined(separator: "   ")
        let painted = states.map { state in
            "\(self.style.paint(self.style.mark(state), self.style.ink(state))) \(state.words)"
        }
        return plain.columnCount <= self.style.width ? [painted.joined(separator: "   ")] : painted
    }

    private func list(_ title: String, _ findings: [Finding], _ ink: TerminalStyle.Ink) -> [String] {
        if findings.isEmpty { return [] }
        var lines = self.heading(title)
        for section in findings.map(\.section).uniqued {
            let members = findings.filter { $0.section == section }
            lines += self.style.safe(section).wrapped(to: self.style.width - 2).map { "  " + $0 }
            lines += members.flatMap { self.entry($0, ink) }
        }
        return lines
    }

    /// `compression: libwebsockets, PHP with libcurl (wss): unsupported: why (2)`
    private func entry(_ finding: Finding, _ ink: TerminalStyle.Ink) -> [String] {
        let reason = self.style.safe(finding.verdict.reason ?? "")
            .cut(to: Self.detailLimit, ellipsis: self.style.ellipsis)
        let count = finding.count > 1 ? " (\(finding.count))" : ""
        let lines = "\(self.style.safe(finding.place)): \(reason)\(count)".wrapped(to: self.style.width - 6)
        let mark = self.style.mark(finding.verdict.state)
        return lines.enumerated().map { index, line in
            index == 0
                ? "    \(self.style.paint(mark, ink)) \(line)"
                : String(repeating: " ", count: 5 + mark.columnCount) + line
        }
    }

    private var conclusion: [String] {
        let counts = "\(self.report.summary) in \(self.report.duration.text)"
        let remark = self.report.remark.map { [$0] } ?? []
        let ink: TerminalStyle.Ink =
            switch self.report.outcome {
            case .passed: .green
            case .failed: .red
            case .unreachable, .untried: .yellow
            }
        return (remark + [counts]).map { self.style.paint($0, ink) }
    }
}

extension Finding {
    /// Where it was met, in one line.
    var place: String {
        let columns = self.columns.joined(separator: ", ")
        let rows = self.rows.joined(separator: ", ")
        let runners = self.runners.isEmpty ? "" : " with \(self.runners.text)"
        return (columns.isEmpty ? rows : "\(columns): \(rows)") + runners
    }
}

extension Matrix.State {
    /// For legends.
    var words: String {
        switch self {
        case .pass: "passed"
        case .partial: "passed where it could be tried"
        case .unavailable: "unavailable"
        case .fail: "failed"
        }
    }
}

extension Verdict {
    var state: Matrix.State {
        switch self {
        case .pass: .pass
        case .fail: .fail
        case .unavailable: .unavailable
        }
    }
}
