internal import HTTPTypes

/// Request lines and status lines (RFC 9112 §3, §4).
enum StartLine {
    /// The head without its fields.
    static func request(_ line: UnsafeRawBufferPointer) throws(WireError) -> RequestHead {
        // Single spaces only: a target with a blank in it is read differently by every parser.
        let parts = line.split(separator: ASCII.space, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw WireError(.malformedStartLine, "a request line is a method, a target and a version")
        }
        guard parts[0].allSatisfy(ASCII.isTokenCharacter),
            let method = HTTPRequest.Method(String(decoding: parts[0], as: UTF8.self))
        else { throw WireError(.malformedStartLine, "the method is no token") }
        guard parts[1].allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw WireError(.malformedStartLine, "the target has a control character or one beyond ASCII")
        }
        let minor = try minorVersion(parts[2], lenient: false)
        let target = String(decoding: parts[1], as: UTF8.self)
        return RequestHead(method: method, target: target, minorVersion: minor)
    }

    /// The head without its fields.
    static func response(_ line: UnsafeRawBufferPointer, lenient: Bool) throws(WireError) -> ResponseHead {
        let parts = line.split(separator: ASCII.space, maxSplits: 2, omittingEmptySubsequences: false)
        let minor = try minorVersion(parts[0], lenient: lenient)
        // The space behind the code is mandatory, the phrase is not; many leave out both.
        guard parts.count == 3 || (lenient && parts.count == 2), parts[1].count == 3,
            parts[1].allSatisfy(ASCII.isDigit),
            let code = Int(String(decoding: parts[1], as: UTF8.self)), code >= 100
        else { throw WireError(.malformedStartLine, "the status is no number of three digits") }
        let phrase = parts.count == 3 ? parts[2] : parts[1].suffix(0)
        guard lenient || phrase.allSatisfy(ASCII.isFieldCharacter) else {
            throw WireError(.malformedStartLine, "the reason phrase has a control character")
        }
        let reason = String(decoding: FieldLine.printable(phrase), as: UTF8.self)
        let status = HTTPResponse.Status(code: code, reasonPhrase: reason)
        return ResponseHead(
            response: HTTPResponse(status: status), minorVersion: minor)
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
