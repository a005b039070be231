internal import HTTPTypes
internal import HTTPWire
internal import NIOCore

/// An answer of the origin: a head, and a body that comes in pieces.
struct OriginAnswer {
    /// How the body's end is told.
    enum Framing: Hashable {
        case length(Int)
        case chunked
        /// 204 and 304 have no body, and name no length.
        case none
    }

    var status: HTTPResponse.Status
    var fields: HTTPFields = [:]
    var framing: Framing
    var pieces: any Sequence<ByteBuffer>

    /// A body of text.
    static func text(_ status: HTTPResponse.Status, _ text: String, type: String = "text/plain")
        -> OriginAnswer
    {
        OriginAnswer(
            status: status, fields: [.contentType: "\(type); charset=utf-8"],
            framing: .length(text.utf8.count), pieces: CollectionOfOne(ByteBuffer(string: text)))
    }

    /// The pattern.
    static func pattern(_ count: Int, isChunked: Bool) -> OriginAnswer {
        OriginAnswer(
            status: .ok, fields: [.contentType: "application/octet-stream"],
            framing: isChunked ? .chunked : .length(count), pieces: OriginPattern.pieces(count))
    }

    /// A status with its number as the body, where it may have one.
    static func status(_ code: Int) -> OriginAnswer {
        let status = HTTPResponse.Status(code: code)
        if code == 204 || code == 304 {
            return OriginAnswer(status: status, framing: .none, pieces: EmptyCollection())
        }
        var answer = text(status, "\(code) \(status.reasonPhrase)\n")
        // RFC 9110 §15.5.2: a 401 says how.
        if code == 401 { answer.fields[.wwwAuthenticate] = "Basic realm=\"origin\"" }
        return answer
    }

    /// Writes all of it; of an answer to HEAD, the head.
    func write(to stream: DuplexStream, keepsConnection: Bool, toHead: Bool) throws {
        var fields = fields
        switch framing {
        case .length(let count): fields[.contentLength] = String(count)
        case .chunked: fields[.transferEncoding] = "chunked"
        case .none: break
        }
        fields[.connection] = keepsConnection ? "keep-alive" : "close"
        var bytes = ByteBuffer()
        ResponseHead(response: HTTPResponse(status: status, headerFields: fields)).serialize(into: &bytes)
        if toHead { return try stream.write(bytes) }
        let isChunked = framing == .chunked
        // The head goes out with the first piece.
        for piece in pieces {
            if isChunked { bytes.writeString("\(String(piece.readableBytes, radix: 16))\r\n") }
            bytes.writeImmutableBuffer(piece)
            if isChunked { bytes.writeString("\r\n") }
            try stream.write(bytes)
            bytes.clear()
        }
        if isChunked { bytes.writeString("0\r\n\r\n") }
        try stream.write(bytes)
    }
}
