internal import HTTPTypes

/// Request lines and status lines (RFC 9112 §3, §4).
enum StartLine {
    /// The head without its fields.
    static func request(_ line: UnsafeRawBufferPointer) throws(WireError) -> RequestHead {
        // Single spaces only: a target with a blank in it is read differently by every parser.
        guard let first = line.firstIndex(of: ASCII.space), first > 0,
            let second = line[(first + 1)...].firstIndex(of: ASCII.space), second > first + 1,
            !line[(second + 1)...].contains(ASCII.space)
        else {
            throw WireError(.malformedStartLine, "a request line is a method, a target and a version")
        }
        guard let method = method(UnsafeRawBufferPointer(rebasing: line[..<first])) else {
            throw WireError(.malformedStartLine, "the method is no token")
        }
        let target = UnsafeRawBufferPointer(rebasing: line[(first + 1)..<second])
        guard isVisible(target) else {
            throw WireError(.malformedStartLine, "the target has a control character or one beyond ASCII")
        }
        let minor = try minorVersion(line[(second + 1)...], lenient: false)
        return RequestHead(
            method: method, target: String(decoding: target, as: UTF8.self), minorVersion: minor)
    }

    private static func method(_ bytes: UnsafeRawBufferPointer) -> HTTPRequest.Method? {
        guard bytes.allSatisfy(ASCII.isTokenCharacter) else { return nil }
        return HTTPRequest.Method(String(decoding: bytes, as: UTF8.self))
    }

    /// VCHAR only (RFC 5234).
    private static func isVisible(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // To the end in any case: the compiler makes wide steps of it.
        var wrong: UInt8 = 0
        for byte in bytes { wrong |= byte > 0x20 && byte < 0x7f ? 0 : 1 }
        return wrong == 0
    }

    /// The head without its fields.
    static func response(_ line: UnsafeRawBufferPointer, lenient: Bool) throws(WireError) -> ResponseHead {
        let first = line.firstIndex(of: ASCII.space) ?? line.endIndex
        let minor = try minorVersion(line[..<first], lenient: lenient)
        let rest = line[min(first + 1, line.endIndex)...]
        // The space behind the code is mandatory, the phrase is not; many leave out both.
        let second = rest.firstIndex(of: ASCII.space)
        guard second != nil || lenient, let code = statusCode(rest[..<(second ?? rest.endIndex)]) else {
            throw WireError(.malformedStartLine, "the status is no number of three digits")
        }
        let phrase = UnsafeRawBufferPointer(rebasing: rest[(second.map { $0 + 1 } ?? rest.endIndex)...])
        let isPrintable = FieldLine.isPrintable(phrase)
        guard lenient || isPrintable else {
            throw WireError(.malformedStartLine, "the reason phrase has a control character")
        }
        let reason =
            isPrintable
            ? String(decoding: phrase, as: UTF8.self)
            : String(decoding: FieldLine.printable(phrase), as: UTF8.self)
        let status = HTTPResponse.Status(code: code, reasonPhrase: reason)
        return ResponseHead(
            response: HTTPResponse(status: status), minorVersion: minor)
    }

    /// Three digits, from 100 on.
    private static func statusCode(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard digits.count == 3, digits.allSatisfy(ASCII.isDigit) else { return nil }
        let code = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        return code >= 100 ? code : nil
    }

    private static func minorVersion(
        _ text: Slice<UnsafeRawBufferPointer>, lenient: Bool
    ) throws(WireError) -> UInt8 {
        let bytes = UnsafeRawBufferPointer(rebasing: text)
        guard bytes.count == 8, bytes.starts(with: "HTTP/".utf8), ASCII.isDigit(bytes[5]),
            bytes[6] == UInt8(ascii: "."), ASCII.isDigit(bytes[7])
        else {
            // `HTTP/2` and `HTTP/3` have no minor version, and are versions all the same.
            if bytes.count == 6, bytes.starts(with: "HTTP/".utf8), ASCII.isDigit(bytes[5]) {
                throw WireError(.unsupportedVersion, "only HTTP/1.0 and HTTP/1.1 are spoken here")
            }
            throw WireError(.malformedStartLine, "the version is not HTTP/1.0 or HTTP/1.1")
        }
        let minor = bytes[7] - UInt8(ascii: "0")
        guard bytes[5] == UInt8(ascii: "1"), lenient || minor <= 1 else {
            throw WireError(.unsupportedVersion, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        }
        return minor
    }
}
