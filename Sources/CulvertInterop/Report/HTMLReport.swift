/// A report as one HTML page that needs nothing else: no script, no font, no image from elsewhere. The details of a
/// cell open on a click as a popover; a browser without popovers shows them below the table.
package struct HTMLReport: Sendable {
    private let report: Report
    private let matrices: [Matrix]

    package init(_ report: Report) {
        self.report = report
        self.matrices = report.matrices.filter { !$0.results.isEmpty }
    }

    package var text: String {
        let failures = HTMLFindings(
            title: "Failures", id: "failures", findings: self.report.failures, isShowingAll: true)
        let reasons = HTMLFindings(
            title: "Could not be tried", id: "unavailable", findings: self.report.unavailabilities,
            isShowingAll: false)
        // The policy is a second lock: even if text got through as markup it could load and run nothing.
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>Culvert interoperability: \(self.headline)</title>
            <style>
            \(HTMLStyleSheet.markup)
            </style>
            </head>
            <body>
            \(self.header)
            <main>
            \(failures.markup)
            \(self.legend)
            \(self.matrices.enumerated().map { HTMLMatrix($1, number: $0, parts: self.report.parts).markup })
            \(reasons.markup)
            \(self.versions)
            </main>
            </body>
            </html>

            """
        return page.source
    }

    private var header: Markup {
        let remark: Markup = self.report.remark.map { "<p class=\"remark\">\($0)</p>" } ?? ""
        return """
            <header>
            <p class="eyebrow">Culvert interoperability</p>
            <h1 class="\(self.report.outcome.rawValue)">\(self.headline)</h1>
            \(remark)
            \(self.counts)
            <dl class="facts">
            \(self.facts)
            </dl>
            \(self.navigation)
            </header>
            """
    }

    private var headline: String {
        let summary = self.report.summary
        switch self.report.outcome {
        case .passed where summary.unavailable == 0:
            return summary.total == 1 ? "The only check passed" : "All \(summary.total) checks passed"
        case .passed: return "\(summary.passed) passed, none failed"
        case .failed where summary.failed == 0: return "Peers are missing"
        case .failed: return "\(summary.failed) of \(summary.total) checks failed"
        case .unreachable: return "No target answered"
        case .untried: return "Nothing could be tried"
        }
    }

    /// A bar with the shares, and the numbers.
    private var counts: Markup {
        let summary = self.report.summary
        let counts = [
            ("pass", "passed", summary.passed), ("fail", "failed", summary.failed),
            ("missing", "missing", summary.missing), ("unsupported", "unsupported", summary.unsupported),
            ("unreachable", "unreachable", summary.unreachable),
        ]
        let shares = counts.filter { $0.2 > 0 }.map { kind, _, count -> Markup in
            "<span class=\"\(kind)\" style=\"flex-grow:\(count)\"></span>"
        }
        let tiles = counts.map { kind, name, count -> Markup in
            "<div class=\"\(kind)\(count == 0 ? " none" : "")\"><dt>\(name)</dt><dd>\(count)</dd></div>"
        }
        return """
            <div class="bar" role="img" aria-label="\(summary.description)">\(shares)</div>
            <dl class="tiles">
            \(tiles)
            </dl>
            """
    }

    private var facts: [Markup] {
        let facts = [
            ("Date", self.report.date.text), ("Duration", self.report.duration.text),
            ("System", self.report.system), ("Command", self.report.command),
        ]
        return facts.filter { !$0.1.isEmpty }.map { name, value in
            "<div><dt>\(name)</dt><dd>\(value)</dd></div>"
        }
    }

    private var navigation: Markup {
        var links: [Markup] = []
        if !self.report.failures.isEmpty { links.append("<a href=\"#failures\">Failures</a>") }
        links += self.matrices.enumerated().map { "<a href=\"#section-\($0)\">\($1.title)</a>" }
        if !self.report.unavailabilities.isEmpty {
            links.append("<a href=\"#unavailable\">Could not be tried</a>")
        }
        if !self.report.parts.isEmpty { links.append("<a href=\"#versions\">Versions</a>") }
        return links.isEmpty ? "" : "<nav aria-label=\"Sections\">\(links)</nav>"
    }

    /// What the marks mean.
    private var legend: Markup {
        if self.matrices.isEmpty { return "" }
        let items = Matrix.State.allCases.map { state -> Markup in
            "<li><span class=\"mark \(state.rawValue)\">\(state.sign)</span> \(state.words)</li>"
        }
        return """
            <ul class="legend" aria-label="Marks">
            \(items)
            <li>select a mark for its checks</li>
            </ul>
            """
    }

    private var versions: Markup {
        let groups = Report.Part.Kind.allCases.compactMap { kind -> Markup? in
            let parts = self.report.parts.filter { $0.kind == kind }
            if parts.isEmpty { return nil }
            let items = parts.map { part -> Markup in
                let version: Markup =
                    part.version.map { "<dd>\($0)</dd>" } ?? "<dd class=\"none\">missing</dd>"
                return "<div><dt>\(part.title)</dt>\(version)</div>"
            }
            return "<div class=\"kind\">\n<h3>\(kind.heading)</h3>\n<dl>\n\(items)\n</dl>\n</div>"
        }
        if groups.isEmpty { return "" }
        return """
            <section id="versions">
            <h2>Versions</h2>
            <div class="kinds">
            \(groups)
            </div>
            </section>
            """
    }
}
