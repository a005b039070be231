internal import HTTPWire
internal import NIOCore

/// Takes requests and their bodies off a connection, in their order. Bytes behind one stay for the next.
struct OriginReader {
    private let stream: DuplexStream
    private var parser = HeadParser(mode: .strict, limits: .serving)
    private var buffer = ByteBuffer()

    init(_ stream: DuplexStream) {
        self.stream = stream
    }

    /// The next request's head; nil when the client has ended between two.
    ///
    /// - Throws: `WireError` for what is not HTTP; the stream's errors.
    mutating func head() throws -> RequestHead? {
        while true {
            if let head = try parser.parseRequest(&buffer) { return head }
            guard try fill() else {
                if buffer.readableBytes == 0 { return nil }
                throw WireError(.unexpectedEOF, "the connection closed inside a head")
            }
        }
    }

    /// Hands over a body piece by piece.
    mutating func body(_ framing: BodyFraming, _ take: (ByteBuffer) throws -> Void) throws {
        var decoder = BodyDecoder(framing)
        while true {
            switch try decoder.decode(&buffer) {
            case .data(let piece): try take(piece)
            case .end: return
            case .needMore:
                buffer.discardReadBytes()
                guard try fill() else {
                    _ = try decoder.receiveEOF()
                    return
                }
            }
        }
    }

    /// What is there already, of whatever follows HTTP.
    mutating func leftover() -> ByteBuffer {
        defer { buffer = ByteBuffer() }
        return buffer
    }

    /// Whether there was more.
    private mutating func fill() throws -> Bool {
        guard let bytes = try stream.read() else { return false }
        if buffer.readableBytes == 0 { buffer = bytes } else { buffer.writeImmutableBuffer(bytes) }
        return true
    }
}
