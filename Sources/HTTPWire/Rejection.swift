package import HTTPTypes
package import NIOCore

/// An answer of the proxy that is not a tunnel.
package struct Rejection: Sendable, Hashable {
    package var status: Int
    /// For the log: one safe token or sentence.
    package var reason: String
    /// For the user: a short plain text, the response's body.
    package var text: String
    /// Sent besides the framing and the connection's fields.
    package var fields: HTTPFields
    /// What `Proxy-Status` names.
    package var error: ProxyError

    /// - Parameter error: by default what the status says.
    package init(
        status: Int, reason: String, text: String, fields: HTTPFields = [:], error: ProxyError? = nil
    ) {
        self.status = status
        self.reason = reason
        self.text = text
        self.fields = fields
        self.error = error ?? ProxyError(status: status)
    }

    /// The complete response. An answer to HEAD has the fields alone (RFC 9110 §9.3.2).
    ///
    /// - Parameter pseudonym: this proxy's name in `Proxy-Status` (RFC 9209).
    package func serialized(
        agent: String, pseudonym: String, keepsConnection: Bool, toHead: Bool = false
    ) -> ByteBuffer {
        let body = text.isEmpty || text.utf8.last == ASCII.lineFeed ? text : text + "\n"
        var all = fields
        all[.server] = agent
        all[.proxyStatus] = "\(pseudonym); error=\(error.rawValue)"
        if !body.isEmpty, !all.contains(.contentType) { all[.contentType] = "text/plain; charset=utf-8" }
        all[.contentLength] = String(body.utf8.count)
        all[.connection] = keepsConnection ? "keep-alive" : "close"
        // Clients of old look at this one; for curl it decides whether a 407 is answered on the connection.
        all[.proxyConnection] = keepsConnection ? "keep-alive" : "close"
        let phrase = Self.phrases[status] ?? (status < 500 ? "Refused" : "Failed")
        let code = (100...999).contains(status) ? status : 500
        let head = ResponseHead(
            response: HTTPResponse(status: .init(code: code, reasonPhrase: phrase), headerFields: all))
        var buffer = ByteBuffer()
        head.serialize(into: &buffer)
        if !toHead { buffer.writeString(body) }
        return buffer
    }

    private static let phrases: [Int: String] = [
        200: "OK", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed",
        407: "Proxy Authentication Required",
        408: "Request Timeout", 414: "URI Too Long", 421: "Misdirected Request", 429: "Too Many Requests",
        431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
        505: "HTTP Version Not Supported", 508: "Loop Detected",
    ]
}

extension Rejection {
    /// The answer to a request whose head is malformed.
    package init(_ error: WireError) {
        let status =
            switch error.code {
            case .startLineTooLong: 414
            case .lineTooLong, .headTooLarge, .tooManyFields: 431
            case .unsupportedVersion: 505
            case .malformedStartLine, .malformedField, .obsFold, .bareLineFeed, .bareCarriageReturn,
                .conflictingFraming, .unsupportedTransferCoding, .malformedContentLength, .malformedChunk,
                .trailersTooLarge, .bodyTooLarge, .unexpectedEOF:
                400
            }
        self.init(status: status, reason: error.description, text: "The request is refused: \(error.detail).")
    }

    static func badRequest(_ detail: String) -> Rejection {
        Rejection(status: 400, reason: detail, text: "The request is refused: \(detail).")
    }
}
