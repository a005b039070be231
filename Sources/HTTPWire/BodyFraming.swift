package import HTTPTypes

/// Where a message body ends (RFC 9112 §6.3).
package enum BodyFraming: Hashable, Sendable {
    /// There is no body.
    case none
    /// So many octets.
    case length(UInt64)
    /// Chunks, then trailers.
    case chunked
    /// Until the sender closes; responses only.
    case untilClose

    /// The framing of a request. Whatever two servers could read differently is an error.
    package static func of(request: RequestHead) throws(WireError) -> BodyFraming {
        let length = try contentLength(request.fields)
        guard request.fields.contains(.transferEncoding) else {
            return length.map { $0 == 0 ? .none : .length($0) } ?? .none
        }
        guard length == nil else {
            throw WireError(.conflictingFraming, "both Content-Length and Transfer-Encoding")
        }
        guard request.minorVersion >= 1 else {
            throw WireError(.unsupportedTransferCoding, "Transfer-Encoding on HTTP/1.0")
        }
        guard isExactlyChunked(request.fields) else {
            throw WireError(.unsupportedTransferCoding, "the Transfer-Encoding is not exactly chunked")
        }
        return .chunked
    }

    /// The framing of a response to a request with `method`.
    ///
    /// - Parameter lenient: read until close where the fields contradict each other, instead of throwing.
    package static func of(
        response: ResponseHead, toMethod method: HTTPRequest.Method, lenient: Bool
    ) throws(WireError) -> BodyFraming {
        let fields = response.response.headerFields
        switch response.response.status.code {
        case 100...199, 204, 304: return .none
        case 200...299 where method == .connect: return .none
        default: if method == .head { return .none }
        }
        if fields.contains(.transferEncoding) {
            if !lenient, fields.contains(.contentLength) {
                throw WireError(.conflictingFraming, "both Content-Length and Transfer-Encoding")
            }
            let codings = fields.tokens(.transferEncoding)
            if codings.last == "chunked", codings.dropLast().allSatisfy({ $0 != "chunked" }) {
                return .chunked
            }
            guard lenient else {
                throw WireError(.unsupportedTransferCoding, "the last transfer coding is not chunked")
            }
            return .untilClose
        }
        do {
            return try contentLength(fields).map { $0 == 0 ? .none : .length($0) } ?? .untilClose
        } catch {
            guard lenient else { throw error }
            return .untilClose
        }
    }

    /// Several equal lengths are one (RFC 9110 §8.6); whoever forwards the head must send a single one.
    private static func contentLength(_ fields: HTTPFields) throws(WireError) -> UInt64? {
        guard fields.contains(.contentLength) else { return nil }
        var length: UInt64?
        for field in fields where field.name == .contentLength {
            try field.withUnsafeBytesOfValue { (value) throws(WireError) in
                for member in ListMembers(UnsafeRawBufferPointer(value)) {
                    let octets = try number(member)
                    guard length == nil || length == octets else {
                        throw WireError(.conflictingFraming, "two values of Content-Length that differ")
                    }
                    length = octets
                }
            }
        }
        return length
    }

    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) throws(WireError) -> UInt64 {
        // 18 digits never overflow, and no body is that long.
        guard (1...18).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else {
            throw WireError(.malformedContentLength, "Content-Length is not a number of 1 to 18 digits")
        }
        return digits.reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
    }

    private static func isExactlyChunked(_ fields: HTTPFields) -> Bool {
        let values = fields[values: .transferEncoding]
        return values.count == 1 && values.first?.lowercased() == "chunked"
    }
}
