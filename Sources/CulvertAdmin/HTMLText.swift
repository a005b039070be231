import Foundation

/// Text of any origin, escaped for HTML's content and quoted attributes; figures in the words of a person.
struct HTMLText: CustomStringConvertible {
    let description: String

    init(_ text: String) {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            // What turns the direction of text could make a name look like another one.
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}":
                escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        self.description = escaped
    }

    /// `1.25 MB`: decimal, as network rates are.
    static func bytes(_ value: Double) -> String {
        var value = value
        var unit = 0
        let units = ["B", "kB", "MB", "GB", "TB", "PB"]
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let digits = value >= 100 || value == value.rounded() ? 0 : value >= 10 ? 1 : 2
        return Self.fixed(value, digits: unit == 0 ? 0 : digits) + " " + units[unit]
    }

    static func rate(_ value: Double) -> String { Self.fixed(value, digits: value >= 10 ? 0 : 1) }

    static func duration(_ seconds: Double) -> String {
        let seconds = Int(exactly: max(0, seconds).rounded(.down)) ?? 0
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
        case ..<86_400: return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        default: return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
        }
    }

    private static func fixed(_ value: Double, digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }
}
