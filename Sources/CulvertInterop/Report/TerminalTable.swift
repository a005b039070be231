/// A matrix as lines of text. Columns that do not fit beside each other follow in further blocks, each with the row
/// titles; a title that is too long goes on in the next line, so that none is cut.
struct TerminalTable {
    /// Column titles are broken at this: most names of checks and servers are one or two words below it.
    private static let columnLimit = 12
    private static let gap = "  "

    private let matrix: Matrix
    private let style: TerminalStyle

    init(_ matrix: Matrix, style: TerminalStyle) {
        self.matrix = matrix
        self.style = style
    }

    var lines: [String] {
        let columns = self.matrix.columns.map { Column(name: $0, style: self.style) }
        let titles = self.matrix.rows.map { self.style.safe($0) }
        let widest = titles.map(\.columnCount).max() ?? 0
        let titleWidth = min(widest, max(Self.columnLimit, self.style.width / 3))
        var lines: [String] = []
        for block in self.blocks(columns, width: self.style.width - titleWidth) {
            if !lines.isEmpty { lines.append("") }
            lines += self.head(block, titleWidth)
            for (row, title) in zip(self.matrix.rows, titles) {
                lines += self.body(row, title.wrapped(to: titleWidth), block, titleWidth)
            }
        }
        return lines
    }

    private struct Column {
        var name: String
        var title: [String]
        var width: Int

        init(name: String, style: TerminalStyle) {
            self.name = name
            self.title = style.safe(name).wrapped(to: TerminalTable.columnLimit)
            let marks = Matrix.State.allCases.map { style.mark($0).columnCount }
            self.width = max(self.title.map(\.columnCount).max() ?? 0, marks.max() ?? 0)
        }
    }

    /// As many columns beside each other as fit, one at least.
    private func blocks(_ columns: [Column], width: Int) -> [[Column]] {
        var blocks: [[Column]] = []
        var used = 0
        for column in columns {
            let needed = Self.gap.count + column.width
            if blocks.isEmpty || used + needed > width {
                blocks.append([])
                used = 0
            }
            blocks[blocks.count - 1].append(column)
            used += needed
        }
        return blocks
    }

    /// The column titles, their last lines at the bottom.
    private func head(_ block: [Column], _ titleWidth: Int) -> [String] {
        let height = block.map(\.title.count).max() ?? 0
        return (0..<height).map { line in
            let cells = block.map { column in
                let index = line - (height - column.title.count)
                return (text: index < 0 ? "" : column.title[index], ink: nil as TerminalStyle.Ink?)
            }
            return self.line("", titleWidth, zip(cells, block.map(\.width)))
        }
    }

    private func body(_ row: String, _ title: [String], _ block: [Column], _ titleWidth: Int) -> [String] {
        let cells = block.map { column -> (text: String, ink: TerminalStyle.Ink?) in
            guard let state = self.matrix[row, column.name]?.state else { return ("", nil) }
            return (self.style.mark(state), self.style.ink(state))
        }
        let first = self.line(title.first ?? "", titleWidth, zip(cells, block.map(\.width)))
        return [first] + title.dropFirst()
    }

    private func line(
        _ title: String, _ titleWidth: Int,
        _ cells: some Sequence<((text: String, ink: TerminalStyle.Ink?), Int)>
    ) -> String {
        var line = title.padded(to: titleWidth)
        var spaces = 0
        for (cell, width) in cells {
            spaces += Self.gap.count
            if !cell.text.isEmpty {
                line += String(repeating: " ", count: spaces) + self.style.paint(cell.text, cell.ink)
                spaces = 0
            }
            spaces += width - cell.text.columnCount
        }
        return line
    }
}
