internal import HTTPTypes

/// One field line (RFC 9112 §5), for heads and trailers alike.
enum FieldLine {
    /// - Parameter line: without its line ending.
    static func parse(_ line: some BidirectionalCollection<UInt8>) throws(WireError) -> HTTPField {
        guard let colon = line.firstIndex(of: ASCII.colon) else {
            throw WireError(.malformedField, "a field line has no colon")
        }
        let name = line[line.startIndex..<colon]
        // A blank before the colon is read as part of the name by some and ignored by others.
        guard let parsed = fieldName(name) else {
            throw WireError(
                .malformedField, "the field name \"\(ASCII.escaped(name, limit: 40))\" is no token")
        }
        let value = ASCII.trimmed(line[line.index(after: colon)...])
        guard value.allSatisfy(ASCII.isFieldCharacter) else {
            throw WireError(.malformedField, "the value of \(parsed.rawName) has a control character")
        }
        return HTTPField(name: parsed, value: value)
    }

    /// What can be read of a line that a careless peer wrote; `nil` to skip it.
    static func parseLeniently(_ line: some BidirectionalCollection<UInt8>) -> HTTPField? {
        guard let colon = line.firstIndex(of: ASCII.colon),
            let name = fieldName(ASCII.trimmed(line[line.startIndex..<colon]))
        else { return nil }
        let value = ASCII.trimmed(line[line.index(after: colon)...])
        // Nearly always.
        if value.allSatisfy(ASCII.isFieldCharacter) { return HTTPField(name: name, value: value) }
        return HTTPField(name: name, value: ASCII.trimmed(printable(value)))
    }

    /// Control characters as spaces.
    static func printable(_ bytes: some Collection<UInt8>) -> [UInt8] {
        bytes.map { ASCII.isFieldCharacter($0) ? $0 : ASCII.space }
    }

    private static func fieldName(_ bytes: some Collection<UInt8>) -> HTTPField.Name? {
        guard !bytes.isEmpty, bytes.allSatisfy(ASCII.isTokenCharacter) else { return nil }
        return HTTPField.Name(String(decoding: bytes, as: UTF8.self))
    }
}
