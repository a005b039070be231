package import HTTPTypes
package import NIOCore

/// Takes one message body out of the bytes that follow its head.
package struct BodyDecoder: Sendable {
    /// One step of decoding.
    package enum Event: Sendable, Hashable {
        case needMore
        case data(ByteBuffer)
        /// The body is complete; bytes behind it stay in the buffer. Trailers of chunked bodies only.
        case end(trailers: HTTPFields?)
    }

    private enum State: Sendable {
        /// Leaves when so many octets came.
        case length(UInt64)
        /// Waiting for the line with a chunk's size.
        case chunkSize
        /// Inside a chunk with so many octets to come.
        case chunk(UInt64)
        /// Waiting for the line ending behind a chunk.
        case chunkEnd
        /// Waiting for the blank line.
        case trailers(HTTPFields, octets: Int)
        /// Leaves on end of file.
        case untilClose
        case complete(trailers: HTTPFields?)
        case failed(WireError)
    }

    private var state: State
    private let maxTrailerBytes: Int
    /// How far the current line was searched, from the reader index.
    private var scanned = 0
    private var extensionOctets = 0

    /// 256 octets: a size has 15 digits, and extensions are hardly ever used.
    private static let maxChunkLine = 256
    /// 16 KiB over a whole body: one-octet chunks with long extensions cost a receiver far more than a
    /// sender (CVE-2023-39326).
    private static let maxExtensionOctets = 16 << 10

    /// - Parameter maxTrailerBytes: 8 KiB: trailers carry a checksum or a status, not a second head.
    package init(_ framing: BodyFraming, maxTrailerBytes: Int = 8 << 10) {
        self.maxTrailerBytes = maxTrailerBytes
        switch framing {
        case .none, .length(0): state = .complete(trailers: nil)
        case .length(let octets): state = .length(octets)
        case .chunked: state = .chunkSize
        case .untilClose: state = .untilClose
        }
    }

    /// Whether the body ended.
    package var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    /// Takes what it can from `buffer` and returns one event. Call again until `needMore` or `end`.
    package mutating func decode(_ buffer: inout ByteBuffer) throws(WireError) -> Event {
        do {
            while true {
                if let event = try step(&buffer) { return event }
            }
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// The sender closed: the end of an unframed body, too early for any other.
    package mutating func receiveEOF() throws(WireError) -> Event {
        switch state {
        case .complete(let trailers):
            return .end(trailers: trailers)
        case .untilClose:
            state = .complete(trailers: nil)
            return .end(trailers: nil)
        case .failed(let error):
            throw error
        case .length, .chunkSize, .chunk, .chunkEnd, .trailers:
            let error = WireError(.unexpectedEOF, "the connection closed inside a body")
            state = .failed(error)
            throw error
        }
    }
}

extension BodyDecoder {
    /// `nil` to go on.
    private mutating func step(_ buffer: inout ByteBuffer) throws(WireError) -> Event? {
        switch state {
        case .complete(let trailers):
            return .end(trailers: trailers)
        case .failed(let error):
            throw error
        case .untilClose:
            let all = buffer.readSlice(length: buffer.readableBytes) ?? ByteBuffer()
            return all.readableBytes > 0 ? .data(all) : .needMore
        case .length(let left):
            guard let data = take(left, from: &buffer) else { return .needMore }
            let rest = left - UInt64(data.readableBytes)
            state = rest == 0 ? .complete(trailers: nil) : .length(rest)
            return .data(data)
        case .chunk(let left):
            guard let data = take(left, from: &buffer) else { return .needMore }
            let rest = left - UInt64(data.readableBytes)
            state = rest == 0 ? .chunkEnd : .chunk(rest)
            return .data(data)
        case .chunkEnd:
            guard let ending = buffer.readInteger(as: UInt16.self) else { return .needMore }
            guard ending == UInt16(ASCII.carriageReturn) << 8 | UInt16(ASCII.lineFeed) else {
                throw WireError(.malformedChunk, "no line ending behind a chunk")
            }
            state = .chunkSize
            return nil
        case .chunkSize:
            return try takeSize(&buffer)
        case .trailers(let fields, let octets):
            return try takeTrailer(&buffer, fields, octets)
        }
    }

    private func take(_ count: UInt64, from buffer: inout ByteBuffer) -> ByteBuffer? {
        let length = Int(min(count, UInt64(buffer.readableBytes)))
        return length > 0 ? buffer.readSlice(length: length) : nil
    }

    private mutating func takeSize(_ buffer: inout ByteBuffer) throws(WireError) -> Event? {
        let line = try takeLine(&buffer, limit: Self.maxChunkLine) {
            WireError(.malformedChunk, "the line before a chunk is longer than \(Self.maxChunkLine) octets")
        }
        guard let line else { return .needMore }
        let size = try ChunkSizeLine.parse(line)
        if let semicolon = line.firstIndex(of: UInt8(ascii: ";")) {
            extensionOctets += line.endIndex - semicolon
        }
        guard extensionOctets <= Self.maxExtensionOctets else {
            throw WireError(
                .malformedChunk, "more than \(Self.maxExtensionOctets) octets of chunk extensions")
        }
        state = size == 0 ? .trailers([:], octets: 0) : .chunk(size)
        return nil
    }

    private mutating func takeTrailer(
        _ buffer: inout ByteBuffer, _ fields: HTTPFields, _ octets: Int
    ) throws(WireError) -> Event? {
        let limit = maxTrailerBytes
        let line = try takeLine(&buffer, limit: limit - octets) {
            WireError(.trailersTooLarge, "the trailers are larger than \(limit) octets")
        }
        guard let line else { return .needMore }
        if line.isEmpty {
            state = .complete(trailers: fields)
            return nil
        }
        guard let first = line.first, !ASCII.isBlank(first) else {
            throw WireError(.obsFold, "a trailer is folded over several lines")
        }
        let field = try ByteBuffer(line).withUnsafeReadableBytes { (line) throws(WireError) in
            try FieldLine.parse(line)
        }
        var fields = fields
        if !Self.neverTrailers.contains(field.name) { fields.append(field) }
        state = .trailers(fields, octets: octets + line.count + 2)
        return nil
    }

    /// RFC 9110 §6.5.1: what frames, routes or authenticates comes too late; such trailers are dropped.
    private static let neverTrailers: Set<HTTPField.Name> = [
        .transferEncoding, .contentLength, .host, .authorization, .proxyAuthorization, .connection, .trailer,
        .proxyAuthenticate, .wwwAuthenticate, .setCookie, .cookie, .upgrade, .te, .contentEncoding,
        .contentType,
        .contentRange, .expect, .proxyConnection,
    ]

    /// A line without its CRLF, at most `limit` octets long.
    private mutating func takeLine(
        _ buffer: inout ByteBuffer, limit: Int, tooLong: () -> WireError
    ) throws(WireError) -> ByteBufferView? {
        let view = buffer.readableBytesView
        let feed = view[(view.startIndex + scanned)...].firstIndex(of: ASCII.lineFeed)
        let raw = view[view.startIndex..<(feed ?? view.endIndex)]
        if raw.count > limit { throw tooLong() }
        guard let feed else {
            scanned = view.count
            return nil
        }
        guard raw.last == ASCII.carriageReturn else {
            throw WireError(.bareLineFeed, "a line of the chunked coding ends in LF without CR")
        }
        scanned = 0
        buffer.moveReaderIndex(forwardBy: feed + 1 - view.startIndex)
        return raw.dropLast()
    }
}
