internal import HTTPTypes

/// One field line (RFC 9112 §5), for heads and trailers alike.
///
/// By pointer: slices of anything else would count references for each octet.
enum FieldLine {
    /// - Parameter line: without its line ending.
    static func parse(_ line: UnsafeRawBufferPointer) throws(WireError) -> HTTPField {
        guard let colon = line.firstIndex(of: ASCII.colon) else {
            throw WireError(.malformedField, "a field line has no colon")
        }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        // A blank before the colon is read as part of the name by some and ignored by others.
        guard let parsed = fieldName(name) else {
            throw WireError(
                .malformedField, "the field name \"\(ASCII.escaped(name, limit: 40))\" is no token")
        }
        let value = trimmed(line[(colon + 1)...])
        guard isPrintable(value) else {
            throw WireError(.malformedField, "the value of \(parsed.rawName) has a control character")
        }
        return HTTPField(name: parsed, value: value)
    }

    /// What can be read of a line that a careless peer wrote; `nil` to skip it.
    static func parseLeniently(_ line: UnsafeRawBufferPointer) -> HTTPField? {
        guard let colon = line.firstIndex(of: ASCII.colon), let name = fieldName(trimmed(line[..<colon]))
        else { return nil }
        let value = trimmed(line[(colon + 1)...])
        // Nearly always.
        if isPrintable(value) { return HTTPField(name: name, value: value) }
        return HTTPField(name: name, value: ASCII.trimmed(printable(value)))
    }

    /// Whether there is no control character.
    static func isPrintable(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // To the end in any case: the compiler makes wide steps of it.
        var wrong: UInt8 = 0
        for byte in bytes { wrong |= ASCII.isFieldCharacter(byte) ? 0 : 1 }
        return wrong == 0
    }

    /// Control characters as spaces.
    static func printable(_ bytes: some Collection<UInt8>) -> [UInt8] {
        bytes.map { ASCII.isFieldCharacter($0) ? $0 : ASCII.space }
    }

    private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: ASCII.trimmed(bytes))
    }

    private static func fieldName(_ bytes: UnsafeRawBufferPointer) -> HTTPField.Name? {
        if let known = KnownFieldNames.find(bytes) { return known }
        guard !bytes.isEmpty, bytes.allSatisfy(ASCII.isTokenCharacter) else { return nil }
        return HTTPField.Name(String(decoding: bytes, as: UTF8.self))
    }
}
