import Foundation

/// A report as GitHub tables: a matrix for each section with its reasons as notes, then the versions.
package struct MarkdownReport: Sendable {
    /// A note is there to be read in passing.
    private static let noteLimit = 200

    private let report: Report
    private let headingLevel: Int

    /// - Parameter headingLevel: of the sections' headings, 1 to 6.
    package init(_ report: Report, headingLevel: Int = 3) {
        self.report = report
        self.headingLevel = min(max(headingLevel, 1), 6)
    }

    package var text: String {
        let matrices = self.report.matrices.filter { !$0.results.isEmpty }
        return ([self.introduction] + matrices.map(self.section) + [self.versions])
            .filter { !$0.isEmpty }.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
    }

    private var introduction: [String] {
        let command = self.report.command.isEmpty ? "" : " (\(self.report.command.markdown))"
        let remark = self.report.remark.map { "; \($0)" } ?? ""
        return [
            "Run of \(self.report.date.text) on \(self.report.system.markdown)\(command): "
                + "\(self.report.summary) in \(self.report.duration.text)\(remark)."
        ]
    }

    private func section(_ matrix: Matrix) -> [String] {
        var notes: [String] = []
        let body = matrix.rows.map { row in
            let cells = matrix.columns.map { column in
                matrix[row, column].map { self.mark($0, &notes) } ?? ""
            }
            return self.row([row.markdown] + cells)
        }
        let head = [
            self.heading(matrix.title), "", self.row([""] + matrix.columns.map(\.markdown)),
            "|:--|" + String(repeating: ":-:|", count: matrix.columns.count),
        ]
        // A backslash at the end is a line break.
        let listed = notes.enumerated().map { index, note in
            "\(Self.superscript(index + 1)) \(note)" + (index + 1 < notes.count ? "\\" : "")
        }
        return head + body + (listed.isEmpty ? [] : [""] + listed)
    }

    /// The state with the numbers of its notes; new notes are added.
    private func mark(_ cell: Matrix.Cell, _ notes: inout [String]) -> String {
        let mark =
            switch cell.state {
            case .pass, .partial: "✓"
            case .unavailable: "–"
            case .fail: "✗"
            }
        let told = cell.results.filter { $0.verdict != .pass }
        let numbers = told.map(\.verdict).uniqued.map { verdict in
            let runners = told.filter { $0.verdict == verdict }.map(\.runner)
            let who = runners.count == cell.results.count ? "" : runners.text + ": "
            let reason = (verdict.reason ?? "").visible().cut(to: Self.noteLimit, ellipsis: "…")
            let note = (who + reason).markdown
            if let known = notes.firstIndex(of: note) { return known + 1 }
            notes.append(note)
            return notes.count
        }
        return mark + numbers.uniqued.map(Self.superscript).joined(separator: " ")
    }

    /// One line for each kind.
    private var versions: [String] {
        let lines = Report.Part.Kind.allCases.compactMap { kind -> String? in
            let parts = self.report.parts.filter { $0.kind == kind }.map { part in
                "\(part.title.markdown) \(part.version?.markdown ?? "(missing)")"
            }
            return parts.isEmpty ? nil : "- \(kind.heading): \(parts.joined(separator: ", "))"
        }
        return lines.isEmpty ? [] : [self.heading("Versions"), ""] + lines
    }

    private func heading(_ title: String) -> String {
        String(repeating: "#", count: self.headingLevel) + " " + title.markdown
    }

    private func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    private static func superscript(_ number: Int) -> String {
        let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        return String(String(number).compactMap { $0.wholeNumberValue.map { digits[$0] } })
    }
}

extension String {
    /// One line of text that Markdown shows as it is.
    fileprivate var markdown: String {
        // By scalars: a mark behind an asterisk makes another character of it, but not for Markdown.
        self.visible().unicodeScalars.reduce(into: "") { text, scalar in
            if "\\`*_[]<>|~&$".unicodeScalars.contains(scalar) { text.append("\\") }
            text.unicodeScalars.append(scalar)
        }
    }
}

extension Report.Part.Kind {
    /// Above a list of parts.
    var heading: String {
        switch self {
        case .own: "Culvert"
        case .library: "Libraries"
        case .server: "Servers"
        case .proxy: "Proxies"
        case .client: "Clients"
        case .target: "Targets"
        }
    }
}
