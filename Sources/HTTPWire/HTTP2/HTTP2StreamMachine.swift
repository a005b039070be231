internal import HTTPTypes
package import NIOCore

/// One HTTP/2 stream, seen as the HTTP/1.1 connection that carries its one request: a CONNECT tunnel (RFC 9113 §8.5)
/// or a request that is forwarded. So every rule for HTTP/1 requests holds for those of HTTP/2, and is written once.
package struct HTTP2StreamMachine: Sendable {
    /// What the client's frames are in HTTP/1.
    package struct Received: Sendable, Hashable {
        package var bytes = ByteBuffer()
        /// The client's FIN of a tunnel.
        package var isEnd = false
    }

    /// What the proxy's bytes are in HTTP/2.
    package enum Sent: Sendable, Hashable {
        case head([HTTP2Field], isEnd: Bool)
        case data(ByteBuffer)
        case trailers([HTTP2Field])
        case end
    }

    private enum Request: Sendable {
        /// Leaves on the field section.
        case awaitingHead
        /// The bytes of a tunnel, or of what wants to become one.
        case tunnel
        /// A body of this many more octets. Leaves on END_STREAM.
        case length(UInt64)
        /// A body of unknown length. Leaves on END_STREAM.
        case chunked
        case ended
    }

    private enum Response: Sendable {
        /// Leaves on a final head.
        case awaitingHead(HeadParser, ByteBuffer)
        /// Leaves on the last octet.
        case body(BodyDecoder, ByteBuffer)
        /// A granted CONNECT. Leaves on the target's FIN.
        case tunnel
        case ended
    }

    /// 15 KiB: one HEADERS frame holds 16 by default, and HPACK's Huffman code is never much longer than the text.
    private static let maxSectionBytes = 15 << 10
    /// More than the proxy takes from an origin, with what it adds.
    private static let limits = HTTPLimits(maxHeadBytes: 96 << 10, maxFields: 300, maxLineBytes: 80 << 10)

    private var request = Request.awaitingHead
    private var response = Response.awaitingHead(HeadParser(mode: .strict, limits: limits), ByteBuffer())
    private var method = HTTPRequest.Method.connect

    package init() {}

    /// Whether bytes cross unchanged.
    package var isTunnel: Bool {
        if case .tunnel = self.response { true } else { false }
    }

    // MARK: What the client sends

    /// - Throws: what is malformed; the stream is then reset (RFC 9113 §8.1.1).
    package mutating func receive(section: [HTTP2Field], isEnd: Bool) throws(WireError) -> Received {
        guard case .awaitingHead = self.request else {
            return try self.receive(trailers: section, isEnd: isEnd)
        }
        let request = try HTTP2Request(section, isEnd: isEnd)
        self.method = request.head.method
        var received = Received()
        request.head.serialize(into: &received.bytes)
        switch (request.head.method, request.framing) {
        case (.connect, _):
            self.request = isEnd ? .ended : .tunnel
            received.isEnd = isEnd
        case (_, .length(let octets)): self.request = .length(octets)
        case (_, .chunked): self.request = .chunked
        case (_, .none), (_, .untilClose): self.request = isEnd ? .ended : .length(0)
        }
        return received
    }

    /// - Throws: as `receive(section:isEnd:)`.
    package mutating func receive(data: ByteBuffer, isEnd: Bool) throws(WireError) -> Received {
        switch self.request {
        case .awaitingHead, .ended:
            throw WireError(.malformedStartLine, "data outside of a body")
        case .tunnel:
            if isEnd { self.request = .ended }
            return self.isAnswered ? Received(isEnd: isEnd) : Received(bytes: data, isEnd: isEnd)
        case .length(let left):
            let count = UInt64(data.readableBytes)
            guard count <= left, !isEnd || count == left else {
                throw WireError(.conflictingFraming, "a body of another length than announced")
            }
            self.request = isEnd ? .ended : .length(left - count)
            return self.isAnswered ? Received() : Received(bytes: data)
        case .chunked:
            if isEnd { self.request = .ended }
            return self.isAnswered ? Received() : Received(bytes: Self.chunk(data, last: isEnd ? [:] : nil))
        }
    }

    private mutating func receive(trailers: [HTTP2Field], isEnd: Bool) throws(WireError) -> Received {
        guard isEnd else { throw WireError(.malformedField, "trailers that end nothing") }
        var fields = HTTPFields()
        for field in trailers { fields.append(try field.parsed()) }
        switch self.request {
        case .chunked:
            self.request = .ended
            return self.isAnswered ? Received() : Received(bytes: Self.chunk(ByteBuffer(), last: fields))
        case .length(0):
            // HTTP/1 has no trailers behind a length.
            self.request = .ended
            return Received()
        case .length, .tunnel, .awaitingHead, .ended:
            throw WireError(.malformedField, "trailers where none can be")
        }
    }

    /// What comes behind a complete answer is read by nobody, least of all as a second request.
    private var isAnswered: Bool {
        if case .ended = self.response { true } else { false }
    }

    private static func chunk(_ data: ByteBuffer, last trailers: HTTPFields?) -> ByteBuffer {
        var bytes = ByteBuffer()
        if data.readableBytes > 0 {
            bytes.writeString(String(data.readableBytes, radix: 16) + "\r\n")
            bytes.writeImmutableBuffer(data)
            bytes.writeStaticString("\r\n")
        }
        if let trailers {
            bytes.writeStaticString("0\r\n")
            trailers.serialize(into: &bytes)
        }
        return bytes
    }

    // MARK: What the proxy sends

    /// - Throws: when the bytes are no HTTP/1 answer.
    package mutating func send(_ bytes: ByteBuffer) throws(WireError) -> [Sent] {
        switch self.response {
        case .tunnel:
            return bytes.readableBytes > 0 ? [.data(bytes)] : []
        case .ended:
            return []
        case .awaitingHead(let parser, var buffer):
            self.response = .ended  // Gives up the stored buffer, so that appending copies nothing.
            buffer.writeImmutableBuffer(bytes)
            return try self.sendHead(parser, buffer)
        case .body(let decoder, var buffer):
            self.response = .ended
            buffer.writeImmutableBuffer(bytes)
            return try self.sendBody(decoder, buffer)
        }
    }

    /// The proxy's FIN.
    ///
    /// - Returns: nil when END_STREAM is out already.
    /// - Throws: when it comes inside an answer; the stream is then reset.
    package mutating func sendEnd() throws(WireError) -> Sent? {
        defer { self.response = .ended }
        switch self.response {
        case .tunnel: return .end
        case .ended: return nil
        case .awaitingHead: throw WireError(.unexpectedEOF, "the connection closed before an answer")
        case .body(var decoder, _):
            _ = try decoder.receiveEOF()
            return .end
        }
    }

    private mutating func sendHead(_ parser: HeadParser, _ bytes: ByteBuffer) throws(WireError) -> [Sent] {
        var parser = parser
        var buffer = bytes
        var sent: [Sent] = []
        while true {
            guard let head = try parser.parseResponse(&buffer) else {
                self.response = .awaitingHead(parser, buffer)
                return sent
            }
            let section = Self.section(of: head)
            let status = head.response.status.code
            if status < 200 {
                sent.append(.head(section, isEnd: false))
                continue
            }
            guard Self.size(of: section) <= Self.maxSectionBytes else {
                return sent + [.head([HTTP2Field(":status", "502")], isEnd: true)]
            }
            if self.method == .connect, status < 300 {
                self.response = .tunnel
                return sent + [.head(section, isEnd: false)]
                    + (buffer.readableBytes > 0 ? [.data(buffer.slice())] : [])
            }
            let framing = try BodyFraming.of(response: head, toMethod: self.method, lenient: false)
            guard framing != .none else { return sent + [.head(section, isEnd: true)] }
            return try sent + [.head(section, isEnd: false)] + self.sendBody(BodyDecoder(framing), buffer)
        }
    }

    private mutating func sendBody(_ decoder: BodyDecoder, _ bytes: ByteBuffer) throws(WireError) -> [Sent] {
        var decoder = decoder
        var buffer = bytes
        var sent: [Sent] = []
        while true {
            switch try decoder.decode(&buffer) {
            case .needMore:
                self.response = .body(decoder, buffer)
                return sent
            case .data(let data):
                sent.append(.data(data))
            case .end(let trailers):
                let section = (trailers ?? [:]).map { Self.field($0) }
                return sent + [section.isEmpty ? .end : .trailers(section)]
            }
        }
    }

    private static func section(of head: ResponseHead) -> [HTTP2Field] {
        let named = Set(head.response.headerFields.tokens(.connection)).union(HTTP2Field.ofConnections)
        return [HTTP2Field(":status", String(head.response.status.code))]
            + head.response.headerFields.map { Self.field($0) }.filter { !named.contains($0.name) }
    }

    private static func field(_ field: HTTPField) -> HTTP2Field {
        HTTP2Field(field.name.rawName.lowercased(), field.value)
    }

    private static func size(of section: [HTTP2Field]) -> Int {
        section.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }
}
