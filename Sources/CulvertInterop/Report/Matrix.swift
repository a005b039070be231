/// A section of a report with its results in their places.
package struct Matrix: Sendable {
    /// What stands at one row and column.
    package struct Cell: Sendable {
        /// The checks of all clients and variants, in the order of the report; at least one.
        package fileprivate(set) var results: [CheckResult]

        /// The worst of the checks.
        package var state: State { State(Summary(self.results)) }
    }

    /// How a cell came out.
    package enum State: String, Sendable, CaseIterable {
        /// Each check passed.
        case pass
        /// None failed, some passed, some could not be tried.
        case partial
        /// None could be tried.
        case unavailable
        /// At least one failed.
        case fail

        /// The worst of some checks. None at all is `unavailable`: nothing can be said.
        package init(_ summary: Summary) {
            if summary.failed > 0 {
                self = .fail
            } else if summary.passed > 0 {
                self = summary.unavailable > 0 ? .partial : .pass
            } else {
                self = .unavailable
            }
        }
    }

    package let name: String
    package let title: String
    package private(set) var rows: [String]
    package private(set) var columns: [String]
    private var cells: [Place: Cell] = [:]

    private struct Place: Hashable {
        var row: String
        var column: String
    }

    fileprivate init(_ section: Report.Section) {
        self.name = section.name
        self.title = section.title
        self.rows = section.rows.uniqued
        self.columns = section.columns.uniqued
    }

    /// The cell at a place; nil where nothing ran.
    package subscript(row: String, column: String) -> Cell? {
        self.cells[Place(row: row, column: column)]
    }

    /// Every check of the matrix, row by row.
    package var results: [CheckResult] {
        self.rows.flatMap { row in self.columns.flatMap { self[row, $0]?.results ?? [] } }
    }

    /// Puts a result in its place. A row or column that the section does not name is added at the end, so that no
    /// result is lost.
    fileprivate mutating func add(_ result: CheckResult) {
        let place = Place(row: result.row, column: result.column)
        if self.cells[place] == nil {
            if !self.rows.contains(result.row) { self.rows.append(result.row) }
            if !self.columns.contains(result.column) { self.columns.append(result.column) }
        }
        self.cells[place, default: Cell(results: [])].results.append(result)
    }
}

extension Report {
    /// The sections in their order, with all results. A result whose section is not declared gets one at the end.
    package var matrices: [Matrix] {
        var matrices: [Matrix] = []
        var indexes: [String: Int] = [:]
        for section in self.sections where indexes[section.name] == nil {
            indexes[section.name] = matrices.count
            matrices.append(Matrix(section))
        }
        for result in self.results {
            let index: Int
            if let known = indexes[result.section] {
                index = known
            } else {
                index = matrices.count
                indexes[result.section] = index
                matrices.append(
                    Matrix(Section(name: result.section, title: result.section, rows: [], columns: [])))
            }
            matrices[index].add(result)
        }
        return matrices
    }
}

extension Array where Element: Hashable {
    /// The elements without repetitions, in the order they first appear.
    var uniqued: [Element] {
        var seen: Set<Element> = []
        return self.filter { seen.insert($0).inserted }
    }
}
