internal import NIOCore

/// The line before a chunk: its size and extensions (RFC 9112 §7.1).
enum ChunkSizeLine {
    /// The size in `line`, which has no line ending.
    ///
    /// Extensions are checked and dropped. Blanks behind the size are refused though some old servers pad
    /// with them: parsers that skip them and parsers that do not see different bodies.
    static func parse(_ line: ByteBufferView) throws(WireError) -> UInt64 {
        let digits = line.prefix { ASCII.hexValue($0) != nil }
        // 15 digits never overflow, and no chunk is that long.
        guard (1...15).contains(digits.count) else {
            throw WireError(.malformedChunk, "the chunk size is not 1 to 15 hexadecimal digits")
        }
        try checkExtensions(line[digits.endIndex...])
        return digits.reduce(0) { $0 << 4 | UInt64(ASCII.hexValue($1) ?? 0) }
    }

    /// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`
    private static func checkExtensions(_ text: ByteBufferView) throws(WireError) {
        var rest = text
        while !rest.isEmpty {
            let semicolon = skipBlanks(rest)
            guard semicolon.first == UInt8(ascii: ";") else { throw malformed }
            rest = skipBlanks(semicolon.dropFirst())
            try skipToken(&rest)
            let behind = skipBlanks(rest)
            guard behind.first == UInt8(ascii: "=") else { continue }
            rest = skipBlanks(behind.dropFirst())
            if rest.first == UInt8(ascii: "\"") {
                try skipQuotedString(&rest)
            } else {
                try skipToken(&rest)
            }
        }
    }

    private static func skipBlanks(_ text: ByteBufferView) -> ByteBufferView {
        text.drop(while: ASCII.isBlank)
    }

    private static func skipToken(_ text: inout ByteBufferView) throws(WireError) {
        let rest = text.drop(while: ASCII.isTokenCharacter)
        guard rest.startIndex > text.startIndex else { throw malformed }
        text = rest
    }

    private static func skipQuotedString(_ text: inout ByteBufferView) throws(WireError) {
        var isEscaped = false
        var index = text.index(after: text.startIndex)
        while index < text.endIndex {
            let byte = text[index]
            index = text.index(after: index)
            guard ASCII.isFieldCharacter(byte) else { throw malformed }
            if !isEscaped, byte == UInt8(ascii: "\"") {
                text = text[index...]
                return
            }
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        }
        throw malformed
    }

    private static var malformed: WireError {
        WireError(.malformedChunk, "junk behind the chunk size")
    }
}
