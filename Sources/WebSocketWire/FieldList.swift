internal import HTTPTypes

/// Values of fields that are comma-separated lists (RFC 9110 §5.6.1).
enum FieldList {
    /// The elements of every line of a field, trimmed, empty ones left out. A comma inside quotes does not separate.
    static func elements(_ name: HTTPField.Name, in fields: HTTPFields) -> [String] {
        fields[values: name].flatMap(split)
    }

    /// Whether one of the elements is `token`, in any case.
    static func contains(_ token: String, _ name: HTTPField.Name, in fields: HTTPFields) -> Bool {
        elements(name, in: fields).contains { $0.lowercased() == token }
    }

    /// Whether the text is a token of RFC 9110 §5.6.2.
    static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(isTokenByte)
    }

    /// The name of an extension: what stands before its parameters.
    static func name(ofExtension text: String) -> String {
        trimmed(text.utf8.prefix { $0 != UInt8(ascii: ";") }).lowercased()
    }

    /// The elements of one value.
    static func split(_ value: String) -> [String] {
        var result: [String] = []
        var element: [UInt8] = []
        var isQuoted = false
        var isEscaped = false
        for byte in value.utf8 {
            if byte == UInt8(ascii: ","), !isQuoted {
                result.append(trimmed(element))
                element = []
                continue
            }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\"), isQuoted {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            }
            element.append(byte)
        }
        result.append(trimmed(element))
        return result.filter { !$0.isEmpty }
    }

    private static func trimmed(_ bytes: some Sequence<UInt8>) -> String {
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let tail = bytes.drop(while: isBlank).reversed().drop(while: isBlank)
        return String(decoding: Array(tail.reversed()), as: UTF8.self)
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
