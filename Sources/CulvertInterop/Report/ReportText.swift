import Foundation

extension String {
    /// The text as a person may be shown it: what moves the cursor, hides or turns text around is escaped (`\n`,
    /// `\u{1b}`), so that a peer cannot write on the terminal or the page as it likes.
    ///
    /// - Parameter onlyASCII: escapes the rest above U+007E as well.
    func visible(onlyASCII: Bool = false) -> String {
        var shown = ""
        for scalar in self.unicodeScalars {
            if scalar.isHarmless && !(onlyASCII && !scalar.isASCII) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += scalar.escape
            }
        }
        return shown
    }
}

extension Unicode.Scalar {
    /// Neither a control, nor a direction mark, an invisible or a line end, nor no character at all.
    var isHarmless: Bool {
        if self.isASCII { return self.value >= 0x20 && self.value < 0x7F }
        switch self.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
        case .unassigned: return !self.properties.isNoncharacterCodePoint
        default: return true
        }
    }

    var escape: String {
        switch self {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(self.value, radix: 16))}"
        }
    }
}

extension Duration {
    /// Thousandths of a second, to the microsecond.
    var milliseconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) * 1000 + (Double(attoseconds) / 1e12).rounded() / 1000
    }

    /// Seconds with three digits, for machines: `73.042`.
    var seconds: String { String(format: "%.3f", self.milliseconds / 1000) }

    /// For people: `12 ms`, `0.4 s`, `73 s`, `4 min 12 s`.
    var text: String {
        let milliseconds = self.milliseconds
        if milliseconds < 99.5 { return "\(Int(milliseconds.rounded())) ms" }
        if milliseconds < 9950 { return String(format: "%.1f s", milliseconds / 1000) }
        let seconds = Int((milliseconds / 1000).rounded())
        return seconds < 120 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s"
    }
}

extension Date {
    /// `2031-04-05 06:07 UTC`
    var text: String {
        self.ISO8601Format().prefix(16).replacing("T", with: " ") + " UTC"
    }
}
