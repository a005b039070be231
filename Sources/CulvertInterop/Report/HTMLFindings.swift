/// A list of findings, each told once with all its places.
struct HTMLFindings {
    /// What is longer is folded.
    private static let openLimit = 500

    let title: String
    let id: String
    let findings: [Finding]
    /// Otherwise the list is folded.
    let isShowingAll: Bool

    /// Empty when there is nothing to list.
    var markup: Markup {
        if self.findings.isEmpty { return "" }
        let sections = self.findings.map(\.section).uniqued.map { section -> Markup in
            let items = self.findings.filter { $0.section == section }.map(self.item)
            return "<h3>\(section)</h3>\n<ul class=\"findings\">\n\(items)\n</ul>"
        }
        let count = self.findings.reduce(0) { $0 + $1.count }
        let summary = "\(count) \(count == 1 ? "check" : "checks")"
        let body: Markup =
            self.isShowingAll
            ? "<p class=\"summary\">\(summary)</p>\n\(sections)"
            : "<details class=\"fold\"><summary>\(summary), by reason</summary>\n\(sections)\n</details>"
        return """
            <section id="\(self.id)">
            <h2>\(self.title)</h2>
            \(body)
            </section>
            """
    }

    private func item(_ finding: Finding) -> Markup {
        let (kind, detail) = finding.verdict.kindAndDetail
        let columns: Markup =
            finding.columns.isEmpty ? "" : " <span>\(finding.columns.joined(separator: ", "))</span>"
        let runners: Markup =
            finding.runners.isEmpty ? "" : "<p class=\"who\">with \(finding.runners.text)</p>"
        let count: Markup = finding.count > 1 ? "<small>\(finding.count) checks</small>" : ""
        return """
            <li class="\(finding.verdict.state.rawValue)">
            <h4>\(finding.rows.joined(separator: ", "))\(columns) \(count)</h4>
            \(runners)
            <p class="kind">\(kind)</p>
            \(self.text(detail))
            </li>
            """
    }

    private func text(_ detail: String) -> Markup {
        if detail.isEmpty { return "" }
        if detail.count <= Self.openLimit { return "<p class=\"detail\">\(detail)</p>" }
        return """
            <details><summary>\(detail.prefix(120).split(separator: "\n").joined(separator: " "))…</summary>\
            <p class="detail">\(detail)</p></details>
            """
    }
}

extension Verdict {
    fileprivate var kindAndDetail: (String, String) {
        switch self {
        case .pass: ("passed", "")
        case .fail(let cause, let detail): (cause.description, detail)
        case .unavailable(let kind, let why): (kind.rawValue, why)
        }
    }
}
