/// A matrix as a table of buttons, each of which opens the details of its cell.
struct HTMLMatrix {
    private let matrix: Matrix
    private let number: Int
    private let versions: [String: String]

    /// - Parameter number: of the section on the page, from 0; the anchors are made of it.
    init(_ matrix: Matrix, number: Int, parts: [Report.Part]) {
        self.matrix = matrix
        self.number = number
        self.versions = Dictionary(
            parts.compactMap { part in part.version.map { (part.title, $0) } }, uniquingKeysWith: { $1 })
    }

    var markup: Markup {
        let columns = self.matrix.columns.map { column -> Markup in
            "<th scope=\"col\" title=\"\(column)\"><span>\(column)</span></th>"
        }
        return """
            <section id="section-\(self.number)">
            <h2>\(self.matrix.title)</h2>
            <p class="summary">\(Summary(self.matrix.results).description)</p>
            <div class="scroll" role="region" aria-label="\(self.matrix.title)" tabindex="0">
            <table>
            <thead><tr><td></td>\(columns)</tr></thead>
            <tbody>
            \(self.matrix.rows.enumerated().map(self.row))
            </tbody>
            </table>
            </div>
            \(self.popovers)
            </section>
            """
    }

    private func row(_ index: Int, _ row: String) -> Markup {
        let version: Markup = self.versions[row].map { " <small>\($0)</small>" } ?? ""
        let cells = self.matrix.columns.enumerated().map { column, name -> Markup in
            guard let cell = self.matrix[row, name] else { return "<td></td>" }
            let label = "\(row), \(name): \(cell.state.words)"
            return """
                <td><button type="button" class="\(cell.state.rawValue)" \
                popovertarget="\(self.id(index, column))" title="\(label)" \
                aria-label="\(label)">\(cell.state.sign)</button></td>
                """
        }
        return "<tr><th scope=\"row\"><div>\(row)\(version)</div></th>\(cells)</tr>"
    }

    private var popovers: [Markup] {
        self.matrix.rows.enumerated().flatMap { row, rowName in
            self.matrix.columns.enumerated().compactMap { column, columnName -> Markup? in
                guard let cell = self.matrix[rowName, columnName] else { return nil }
                let id = self.id(row, column)
                return """
                    <div popover id="\(id)" class="details" role="dialog" aria-labelledby="\(id)-title">
                    <button type="button" class="close" popovertarget="\(id)" popovertargetaction="hide" \
                    aria-label="Close">×</button>
                    <h3 id="\(id)-title">\(rowName) <span>\(columnName)</span></h3>
                    <ul class="checks">
                    \(cell.results.map(self.check))
                    </ul>
                    </div>
                    """
            }
        }
    }

    private func check(_ result: CheckResult) -> Markup {
        let state = result.verdict.state
        let reason: Markup = result.verdict.reason.map { "<p>\($0)</p>" } ?? ""
        return """
            <li><span class="mark \(state.rawValue)">\(state.sign)</span> <b>\(result.runner.description)</b> \
            <span class="time">\(result.duration.text)</span>\(reason)</li>
            """
    }

    private func id(_ row: Int, _ column: Int) -> String { "cell-\(self.number)-\(row)-\(column)" }
}

extension Matrix.State {
    /// On pages; `partial` differs by its dot.
    var sign: String {
        switch self {
        case .pass, .partial: "✓"
        case .unavailable: "–"
        case .fail: "✗"
        }
    }
}
