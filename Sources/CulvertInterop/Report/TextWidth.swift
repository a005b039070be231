extension String {
    /// How many columns of a terminal the text takes; it holds no control characters.
    var columnCount: Int { self.reduce(0) { $0 + $1.columnCount } }

    /// The text with spaces up to a width.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - self.columnCount))
    }

    /// The text, or as much of its start as fits together with the ellipsis.
    func cut(to width: Int, ellipsis: String) -> String {
        if self.columnCount <= width { return self }
        let room = width - ellipsis.columnCount
        guard room > 0 else { return String(self.start(width)) }
        return self.start(room) + ellipsis
    }

    /// Lines of at most `width` columns, broken at spaces, behind a hyphen or a slash, and, where a word is longer
    /// than a line, anywhere.
    func wrapped(to width: Int) -> [String] {
        let width = max(width, 2)  // a wide character needs two columns
        var lines: [String] = []
        var line = ""
        for piece in self.pieces {
            let trimmed = piece.hasSuffix(" ") ? String(piece.dropLast()) : piece
            if line.columnCount + trimmed.columnCount > width, !line.isEmpty {
                lines.append(line.trimmingEnd)
                line = ""
            }
            if line.isEmpty, piece == " " { continue }
            line += piece
            while line.trimmingEnd.columnCount > width {
                let start = line.start(width)
                lines.append(String(start))
                line = String(line[start.endIndex...])
            }
        }
        if !line.trimmingEnd.isEmpty { lines.append(line.trimmingEnd) }
        return lines
    }

    /// Words with the space or hyphen behind them.
    private var pieces: [String] {
        var pieces: [String] = []
        var piece = ""
        for character in self {
            piece.append(character)
            guard character == " " || character == "-" || character == "/" else { continue }
            pieces.append(piece)
            piece = ""
        }
        return piece.isEmpty ? pieces : pieces + [piece]
    }

    private var trimmingEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }

    /// As many whole characters as fit, and at least one, so that whoever walks along always gets on.
    private func start(_ width: Int) -> Substring {
        var used = 0
        var end = self.startIndex
        while end < self.endIndex {
            used += self[end].columnCount
            if used > width, end > self.startIndex { break }
            end = self.index(after: end)
        }
        return self[..<end]
    }
}

extension Character {
    /// East Asian wide characters and emoji take two columns, marks that sit on another none.
    fileprivate var columnCount: Int {
        self.unicodeScalars.reduce(0) { count, scalar in max(count, scalar.columnCount) }
    }
}

extension Unicode.Scalar {
    fileprivate var columnCount: Int {
        if self.value < 0x300 { return 1 }
        switch self.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        switch self.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return self.properties.isEmojiPresentation ? 2 : 1
        }
    }
}
