internal import HTTPTypes
internal import NIOCore

/// Passes one body on, framed anew: what is checked on the way in cannot be read in two ways on the way out.
struct BodyRelay: Sendable {
    /// How the body's end is told to the receiver.
    enum Coding: Sendable, Hashable {
        /// By the length in the head, by closing, or there is no body.
        case identity
        case chunked
    }

    private var decoder: BodyDecoder
    private let coding: Coding

    init(_ framing: BodyFraming, as coding: Coding) {
        decoder = BodyDecoder(framing)
        self.coding = coding
    }

    var isComplete: Bool { decoder.isComplete }

    /// Takes what it can from `buffer` and appends it to `output`; bytes behind the body stay.
    ///
    /// - Returns: whether the body is complete.
    mutating func relay(
        _ buffer: inout ByteBuffer, into output: inout ByteBuffer
    ) throws(WireError) -> Bool {
        while true {
            switch try decoder.decode(&buffer) {
            case .needMore:
                return false
            case .data(let data):
                append(data, to: &output)
            case .end(let trailers):
                finish(trailers, into: &output)
                return true
            }
        }
    }

    /// The sender closed: the end of an unframed body, too early for any other.
    mutating func receiveEOF(into output: inout ByteBuffer) throws(WireError) {
        if case .end(let trailers) = try decoder.receiveEOF() { finish(trailers, into: &output) }
    }

    private func append(_ data: ByteBuffer, to output: inout ByteBuffer) {
        switch coding {
        case .identity where output.readableBytes == 0:
            // The usual case of a long body: no copy.
            output = data
        case .identity:
            output.writeImmutableBuffer(data)
        case .chunked:
            output.writeString(String(data.readableBytes, radix: 16))
            output.writeStaticString("\r\n")
            output.writeImmutableBuffer(data)
            output.writeStaticString("\r\n")
        }
    }

    /// Trailers go on where there is a place for them (RFC 9112 §7.1.2); none of them can be hop-by-hop.
    private func finish(_ trailers: HTTPFields?, into output: inout ByteBuffer) {
        guard coding == .chunked else { return }
        output.writeStaticString("0\r\n")
        let options = ConnectionOptions([:])
        for field in trailers ?? [:] where !options.strips(field.name) { field.write(into: &output) }
        output.writeStaticString("\r\n")
    }
}
