import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

@Suite struct BodyDecoderTests {
    struct Outcome: Hashable {
        var data = ""
        var ended = false
        var trailers: HTTPFields?
        var error: WireError.Code?
        var rest = ""
    }

    static func decode(_ framing: BodyFraming, _ packets: [ByteBuffer], thenEOF: Bool = false) -> Outcome {
        var decoder = BodyDecoder(framing, maxTrailerBytes: 64)
        var buffer = ByteBuffer()
        var outcome = Outcome()
        func drain() throws(WireError) {
            while !outcome.ended {
                switch try decoder.decode(&buffer) {
                case .needMore: return
                case .data(let data): outcome.data += data.text
                case .end(let trailers): (outcome.ended, outcome.trailers) = (true, trailers)
                }
            }
        }
        do {
            try drain()
            for packet in packets {
                buffer.writeImmutableBuffer(packet)
                try drain()
            }
            if thenEOF, !outcome.ended, case .end = try decoder.receiveEOF() { outcome.ended = true }
        } catch {
            outcome.error = error.code
            return outcome
        }
        #expect(decoder.isComplete == outcome.ended)
        if outcome.ended { outcome.rest = buffer.text }
        return outcome
    }

    @Test(
        "a body ends where its framing says, however it is cut",
        arguments: [
            (.none, "", "", "tail"), (.length(5), "hello", "hello", "tail"),
            (.chunked, "0\r\n\r\n", "", "tail"),
            (.chunked, "5\r\nhello\r\n0\r\n\r\n", "hello", "tail"),
            (.chunked, "3\r\nabc\r\n00A\r\n0123456789\r\n000\r\n\r\n", "abc0123456789", "0\r\n"),
            (.chunked, "a;x\r\n0123456789\r\n0;y=z;q=\"a;\\\"b\" ; r = s\r\n\r\n", "0123456789", ""),
            (.chunked, "1\r\n\r\r\n0\r\nA: b\r\n\r\n", "\r", "x"),
        ] as [(BodyFraming, String, String, String)])
    func good(framing: BodyFraming, wire: String, body: String, tail: String) {
        for packets in Feeding.cuts(wire + tail) {
            let outcome = Self.decode(framing, packets)
            #expect(outcome.data == body)
            #expect(outcome.ended)
            #expect(outcome.rest == tail)
            #expect(outcome.error == nil)
        }
    }

    @Test(
        "a bad chunk is refused for the same reason however it is cut",
        arguments: [
            ("-1\r\n", .malformedChunk), ("+1\r\n", .malformedChunk), ("0x1\r\n", .malformedChunk),
            ("g\r\n", .malformedChunk), ("\r\n", .malformedChunk), (" 5\r\nhello", .malformedChunk),
            ("5 \r\nhello", .malformedChunk), ("5 junk\r\n", .malformedChunk), ("5;\r\n", .malformedChunk),
            ("5;a=\r\n", .malformedChunk), ("5;a=\"b\r\n", .malformedChunk),
            ("5;a\u{0}\r\n", .malformedChunk),
            ("5;a\rb\r\n", .malformedChunk), ("10000000000000000\r\n", .malformedChunk),
            ("ffffffffffffffff\r\n", .malformedChunk), ("5\nhello", .bareLineFeed),
            ("5\r\nhelloX\r\n", .malformedChunk),
            ("5\r\nhello\n0\r\n\r\n", .malformedChunk), ("0\r\nA : b\r\n", .malformedField),
            ("0\r\nA: b\n\r\n", .bareLineFeed), ("0\r\nA: b\r\n c\r\n", .obsFold),
            ("0\r\nA: b\rc\r\n", .malformedField),
        ] as [(String, WireError.Code)])
    func bad(wire: String, code: WireError.Code) {
        for packets in Feeding.cuts(wire) {
            #expect(Self.decode(.chunked, packets).error == code)
        }
    }

    @Test("chunk lines, extensions and trailers are bounded") func bounds() {
        let long = "1;a=" + String(repeating: "b", count: 300)
        let drip = String(repeating: "1;a=" + String(repeating: "b", count: 200) + "\r\nx\r\n", count: 100)
        let trailers = "0\r\n" + String(repeating: "A: b\r\n", count: 20)
        let trailer = "0\r\nA: " + String(repeating: "b", count: 100)
        for (text, code) in [
            (long, WireError.Code.malformedChunk), (drip, .malformedChunk), (trailers, .trailersTooLarge),
            (trailer, .trailersTooLarge),
        ] {
            for packets in Feeding.cuts(text, everySplit: false) {
                #expect(Self.decode(.chunked, packets).error == code)
            }
        }
    }

    @Test("trailers that frame, route or authenticate are dropped") func trailers() throws {
        let wire = "0\r\nX: y\r\nContent-Length: 5\r\nHost: evil\r\nProxy-Authorization: x\r\n\r\n"
        var decoder = BodyDecoder(.chunked)
        var buffer = ByteBuffer(string: wire)
        let kept: HTTPFields = [try #require(HTTPField.Name("X")): "y"]
        #expect(try decoder.decode(&buffer) == .end(trailers: kept))
    }

    @Test(
        "end of file ends an unframed body and cuts any other short",
        arguments: [
            (.untilClose, "abc", nil), (.untilClose, "", nil), (.none, "", nil),
            (.length(5), "abc", .unexpectedEOF),
            (.length(5), "abcde", nil), (.chunked, "5\r\nabc", .unexpectedEOF),
            (.chunked, "", .unexpectedEOF),
            (.chunked, "5\r\nabcde", .unexpectedEOF), (.chunked, "0\r\n", .unexpectedEOF),
            (.chunked, "0\r\n\r\n", nil),
        ] as [(BodyFraming, String, WireError.Code?)])
    func endOfFile(framing: BodyFraming, wire: String, code: WireError.Code?) {
        let outcome = Self.decode(framing, [ByteBuffer(string: wire)], thenEOF: true)
        #expect(outcome.error == code)
        #expect(outcome.ended == (code == nil))
    }
}
