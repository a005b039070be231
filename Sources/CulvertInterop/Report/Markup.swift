/// Text of an HTML or XML document. Whatever is put in by interpolation is escaped, unless it is markup itself, so
/// that no text from a peer can be taken for markup.
struct Markup: Sendable, ExpressibleByStringInterpolation {
    private(set) var source: String

    init(stringLiteral value: String) {
        self.source = value
    }

    init(stringInterpolation: Interpolation) {
        self.source = stringInterpolation.source
    }

    /// Any text, escaped for content and for quoted attributes. Line ends and tabs are character references, which
    /// attributes keep; what XML 1.0 does not allow, or what hides, is shown as `\u{1b}`.
    init(text: String) {
        self.source = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": self.source += "&amp;"
            case "<": self.source += "&lt;"
            case ">": self.source += "&gt;"
            case "\"": self.source += "&quot;"
            case "'": self.source += "&#39;"
            case "\n": self.source += "&#10;"
            case "\t": self.source += "&#9;"
            case _ where scalar.isHarmless: self.source.unicodeScalars.append(scalar)
            default: self.source += scalar.escape
            }
        }
    }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var source = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            self.source.reserveCapacity(literalCapacity + 32 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { self.source += literal }
        mutating func appendInterpolation(_ text: String) { self.source += Markup(text: text).source }
        mutating func appendInterpolation(_ number: Int) { self.source += "\(number)" }
        mutating func appendInterpolation(_ markup: Markup) { self.source += markup.source }

        /// One after the other, each on its own line.
        mutating func appendInterpolation(_ markups: [Markup]) {
            self.source += markups.lazy.map(\.source).joined(separator: "\n")
        }
    }
}
