/// The parameters behind an extension's name (RFC 6455 §9.1).
struct ExtensionParameters {
    /// In their order; a parameter without `=` has no value.
    let pairs: [(name: String, value: String?)]

    /// Nil when a name or value is no token. A value may be quoted, but must be a token inside the quotes too, so
    /// that a semicolon always separates.
    init?(_ text: String) {
        var pairs: [(String, String?)] = []
        for element in text.split(separator: ";", omittingEmptySubsequences: false).dropFirst() {
            let halves = element.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { Self.trimmed($0) }
            guard let name = halves.first, FieldList.isToken(name) else { return nil }
            guard halves.count == 2 else {
                pairs.append((String(name), nil))
                continue
            }
            guard let value = Self.unquoted(halves[1]), FieldList.isToken(value) else { return nil }
            pairs.append((String(name), value))
        }
        self.pairs = pairs
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let head = text.drop { $0 == " " || $0 == "\t" }
        guard let last = head.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return head[...last]
    }

    /// The content of a quoted text, its escapes undone; any other text as it is.
    private static func unquoted(_ text: Substring) -> String? {
        guard text.first == "\"" else { return String(text) }
        guard text.count >= 2, text.last == "\"" else { return nil }
        var content = ""
        var isEscaped = false
        for character in text.dropFirst().dropLast() {
            if !isEscaped, character == "\\" {
                isEscaped = true
                continue
            }
            if !isEscaped, character == "\"" { return nil }
            isEscaped = false
            content.append(character)
        }
        return isEscaped ? nil : content
    }
}
