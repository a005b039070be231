import HTTPTypes
import HTTPWire
import NIOCore

/// What must hold of the head parser for any octets.
enum HeadProperties {
    /// Small, so that inputs of a fuzzer's size reach every limit.
    private static let limits = HTTPLimits(maxHeadBytes: 512, maxFields: 8, maxLineBytes: 256)

    static func request(_ bytes: [UInt8]) {
        let whole = run(bytes, packet: bytes.count) {
            HeadParser(mode: .strict, limits: limits)
        } step: {
            (parser, buffer) throws(WireError) in
            try parser.parseRequest(&buffer)
        }
        let drip = run(bytes, packet: 1) {
            HeadParser(mode: .strict, limits: limits)
        } step: {
            (parser, buffer) throws(WireError) in
            try parser.parseRequest(&buffer)
        }
        require(whole == drip, "a request parses the same byte by byte")
        guard let head = whole.head else { return }
        _ = try? BodyFraming.of(request: head)
        var again = ByteBuffer()
        head.serialize(into: &again)
        let size = again.readableBytes
        var parser = HeadParser(mode: .strict, limits: .serving)
        require((try? parser.parseRequest(&again)) == head, "a serialised request parses to the same")
        require(again.readableBytes == 0 && size > 0, "a serialised head is one head")
    }

    static func response(_ bytes: [UInt8], mode: HeadParser.Mode) {
        let whole = run(bytes, packet: bytes.count) {
            HeadParser(mode: mode, limits: limits)
        } step: {
            (parser, buffer) throws(WireError) in
            try parser.parseResponse(&buffer)
        }
        let drip = run(bytes, packet: 1) {
            HeadParser(mode: mode, limits: limits)
        } step: {
            (parser, buffer) throws(WireError) in
            try parser.parseResponse(&buffer)
        }
        require(whole == drip, "a response parses the same byte by byte")
        guard let head = whole.head else { return }
        _ = try? BodyFraming.of(response: head, toMethod: .get, lenient: false)
        require(
            (try? BodyFraming.of(response: head, toMethod: .get, lenient: true)) != nil,
            "the lenient framing of a response is always known")
        var again = ByteBuffer()
        head.serialize(into: &again)
        var parser = HeadParser(mode: .lenient, limits: .answer)
        require((try? parser.parseResponse(&again)) == head, "a serialised response parses to the same")
    }

    private struct Outcome<Head: Equatable>: Equatable {
        var head: Head?
        /// Not its detail, which shows the bytes that had come.
        var error: WireError.Code?
        var consumed = 0
    }

    private static func run<Head: Equatable>(
        _ bytes: [UInt8], packet: Int, _ make: () -> HeadParser,
        step: (inout HeadParser, inout ByteBuffer) throws(WireError) -> Head?
    ) -> Outcome<Head> {
        var parser = make()
        var buffer = ByteBuffer()
        var outcome = Outcome<Head>()
        for start in stride(from: 0, to: bytes.count, by: max(1, packet)) {
            let end = min(bytes.count, start + packet)
            buffer.writeBytes(bytes[start..<end])
            do {
                outcome.head = try step(&parser, &buffer)
            } catch {
                outcome.error = error.code
                return outcome
            }
            let consumed = end - buffer.readableBytes
            require(consumed >= 0 && consumed <= end, "no more is taken than was given")
            require(outcome.head != nil || consumed == 0, "nothing is taken before the head is whole")
            if outcome.head != nil {
                outcome.consumed = consumed
                return outcome
            }
        }
        return outcome
    }
}
