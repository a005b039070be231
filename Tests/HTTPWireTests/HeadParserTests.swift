import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

@Suite struct HeadParserTests {
    @Test(
        "a good request parses to the same however it is cut",
        arguments: [
            "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", "CONNECT a.test:443 HTTP/1.0\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\nX: \r\nX:y\r\nx:\t z \t\r\n\r\n",
            "!#$%&'*+-.^_`|~ * HTTP/1.1\r\nA: caf\u{e9}; \"q\"\r\n\r\n",
        ])
    func goodRequests(text: String) throws {
        let expected = parseRequest([ByteBuffer(string: text + "tail")])
        let head = try #require(expected.head)
        #expect(expected.rest == "tail")
        for packets in Feeding.cuts(text + "tail") {
            #expect(parseRequest(packets) == expected)
        }
        var again = ByteBuffer()
        head.serialize(into: &again)
        #expect(parseRequest([again]).head == head)
        #expect(parseRequest([again]).rest.isEmpty)
    }

    @Test(
        "a bad request is refused with the same reason however it is cut",
        arguments: [
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineFeed),
            ("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
            ("GET / HTTP/1.1\r\nA: b\rc: d\r\n\r\n", .bareCarriageReturn),
            ("GET / HTTP/1.1\r\r\n\r\n", .bareCarriageReturn),
            ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", .obsFold),
            ("GET / HTTP/1.1\r\n A: b\r\n\r\n", .obsFold),
            ("GET / HTTP/1.1\r\nA : b\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nA\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\n: b\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nA: b\u{0}\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nA: \u{7f}\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nA\u{1}: b\r\n\r\n", .malformedField),
            ("GET / HTTP/1.1\r\nÄ: b\r\n\r\n", .malformedField),
            ("GET / HTTP/2.0\r\n\r\n", .unsupportedVersion), ("GET / HTTP/1.2\r\n\r\n", .unsupportedVersion),
            ("GET / HTTP/0.9\r\n\r\n", .unsupportedVersion), ("GET / HTTP/3\r\n\r\n", .unsupportedVersion),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
            ("GET / http/1.1\r\n\r\n", .malformedStartLine),
            ("GET / HTTP/1.10\r\n\r\n", .malformedStartLine), ("GET / HTTP/1.\r\n\r\n", .malformedStartLine),
            ("GET /\r\n\r\n", .malformedStartLine), ("GET  / HTTP/1.1\r\n\r\n", .malformedStartLine),
            ("GET / HTTP/1.1 \r\n\r\n", .malformedStartLine),
            ("GET /a b HTTP/1.1\r\n\r\n", .malformedStartLine),
            ("GET\t/ HTTP/1.1\r\n\r\n", .malformedStartLine),
            (" GET / HTTP/1.1\r\n\r\n", .malformedStartLine),
            ("GET /\u{0} HTTP/1.1\r\n\r\n", .malformedStartLine),
            ("GET /ü HTTP/1.1\r\n\r\n", .malformedStartLine),
            ("G@T / HTTP/1.1\r\n\r\n", .malformedStartLine),
            ("\r\n\r\nGET / HTTP/1.1\r\n\r\n", .malformedStartLine),
            ("\u{16}\u{3}\u{1}", .malformedStartLine), ("\nGET / HTTP/1.1\r\n\r\n", .bareLineFeed),
        ] as [(String, WireError.Code)])
    func badRequests(text: String, code: WireError.Code) {
        for packets in Feeding.cuts(text) {
            #expect(parseRequest(packets).error == code)
        }
    }

    @Test("an unfinished head is no head, and takes nothing") func unfinished() {
        let text = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
        for end in text.utf8.indices {
            let result = parseRequest([ByteBuffer(string: String(text[..<end]))])
            #expect(result == Parsed())
        }
    }

    @Test("every limit is refused with its own reason however the head is cut")
    func limits() {
        let limits = HTTPLimits(maxHeadBytes: 100, maxFields: 3, maxLineBytes: 40)
        let start = "GET / HTTP/1.1\r\n"
        let cases: [(String, WireError.Code)] = [
            ("GET /" + String(repeating: "a", count: 60), .startLineTooLong),
            (start + "A: " + String(repeating: "b", count: 60) + "\r\n", .lineTooLong),
            (start + String(repeating: "A: b\r\n", count: 4), .tooManyFields),
            (
                start + String(repeating: "A: " + String(repeating: "b", count: 30) + "\r\n", count: 3),
                .headTooLarge
            ),
        ]
        for (text, code) in cases {
            for packets in Feeding.cuts(text) {
                #expect(parseRequest(packets, limits: limits).error == code)
            }
        }
    }

    @Test("a head of exactly the limit passes, one octet more does not") func exactLimit() {
        let text = "GET / HTTP/1.1\r\nA: bcd\r\n\r\n"
        let size = text.utf8.count
        for (limit, passes) in [(size, true), (size - 1, false)] {
            let limits = HTTPLimits(maxHeadBytes: limit, maxFields: 1, maxLineBytes: 100)
            for packets in Feeding.cuts(text) {
                #expect((parseRequest(packets, limits: limits).head != nil) == passes)
            }
        }
    }

    @Test("two heads in one buffer are taken one by one") func pipelined() throws {
        var buffer = ByteBuffer(string: "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nA: b\r\n\r\nrest")
        var parser = HeadParser(mode: .strict, limits: .serving)
        #expect(try parser.parseRequest(&buffer)?.target == "/1")
        #expect(try parser.parseRequest(&buffer)?.fields.count == 1)
        #expect(buffer.text == "rest")
    }

    @Test("a parser that refused a head refuses for ever") func sticky() {
        var buffer = ByteBuffer(string: "GET / HTTP/1.1\n")
        var parser = HeadParser(mode: .strict, limits: .serving)
        #expect(throws: WireError.self) { try parser.parseRequest(&buffer) }
        buffer = ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n")
        #expect(throws: WireError.self) { try parser.parseRequest(&buffer) }
    }

    @Test(
        "a careless proxy's answer is understood",
        arguments: [
            ("HTTP/1.0 200 OK\r\n\r\n", 200, "OK", [:]), ("HTTP/1.1 200\r\n\r\n", 200, "", [:]),
            ("HTTP/1.1 200 \r\n\r\n", 200, "", [:]), ("HTTP/1.1 200 OK\n\n", 200, "OK", [:]),
            ("HTTP/1.1 200 OK\nA: b\n\n", 200, "OK", ["a": "b"]),
            ("\r\nHTTP/1.1 204 No\r\n\r\n", 204, "No", [:]),
            ("\n\r\n\nHTTP/1.1 201 C\r\n\r\n", 201, "C", [:]),
            ("HTTP/1.1 407 P\r\nA: b\r\n  c\r\n\td\r\n\r\n", 407, "P", ["a": "b c d"]),
            ("HTTP/1.1 200 OK\r\nno colon here\r\n folded on\r\nA: b\r\n\r\n", 200, "OK", ["a": "b"]),
            ("HTTP/1.1 200 OK\r\n first line folded\r\nA: b\r\n\r\n", 200, "OK", ["a": "b"]),
            ("HTTP/1.1 200 OK\r\nA : b\r\nB: c\u{1}d\r\n\r\n", 200, "OK", ["a": "b", "b": "c d"]),
            ("HTTP/1.2 299 A b c\r\nA:\r\n b\r\n\r\n", 299, "A b c", ["a": "b"]),
            ("HTTP/1.1 999 \r\n: x\r\nÄ: x\r\n\r\n", 999, "", [:]),
        ] as [(String, Int, String, [String: String])])
    func lenient(text: String, code: Int, phrase: String, fields: [String: String]) throws {
        for packets in Feeding.cuts(text + "SSH-2.0") {
            let result = parseResponse(packets)
            let head = try #require(result.head)
            #expect(head.response.status.code == code)
            #expect(head.response.status.reasonPhrase == phrase)
            let pairs = head.response.headerFields.map { ($0.name.canonicalName, $0.value) }
            #expect(Dictionary(pairs) { $0 + "," + $1 } == fields)
            #expect(result.rest == "SSH-2.0")
        }
    }

    @Test(
        "an answer that is none is refused, strictly and leniently",
        arguments: [
            "<html>", "SSH-2.0-OpenSSH\r\n", "ICY 200 OK\r\n", "HTTP/1.1 20\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 099 No\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
            "HTTP/1.1\r\n\r\n",
            "http/1.1 200 OK\r\n\r\n", "HTTP/1.1\t200 OK\r\n\r\n", "\u{15}\u{3}\u{1}", "H\u{0}",
            "HTTP/2.0 200 OK\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/x.y 200 OK\r\n\r\n",
        ])
    func noAnswer(text: String) {
        for mode in [HeadParser.Mode.strict, .lenient] {
            let whole = parseResponse([ByteBuffer(string: text)], mode: mode).error
            #expect(whole == .malformedStartLine || whole == .unsupportedVersion)
            for packets in Feeding.cuts(text) { #expect(parseResponse(packets, mode: mode).error == whole) }
        }
    }

    @Test("a 6 KB line and 20 KB of fields in an answer pass; more than the limit does not")
    func largeAnswer() {
        let line = "X-Long: " + String(repeating: "a", count: 6 << 10) + "\r\n"
        let many = (0..<140).map { "X-\($0): " + String(repeating: "b", count: 100) + "\r\n" }.joined()
        let good = "HTTP/1.1 200 OK\r\n" + line + many + "\r\n"
        #expect(good.utf8.count > 20_000)
        for packets in Feeding.cuts(good + "x", everySplit: false) {
            #expect(parseResponse(packets).head?.response.headerFields.count == 141)
        }
        let endless = "HTTP/1.1 200 OK\r\n" + String(repeating: "n\r\n", count: 300)
        #expect(parseResponse([ByteBuffer(string: endless)]).error == .tooManyFields)
        let blank = String(repeating: "\n", count: 70_000)
        #expect(parseResponse([ByteBuffer(string: blank)]).error == .startLineTooLong)
    }

    @Test("octets beyond ASCII in a value survive a round trip") func obsText() throws {
        var buffer = ByteBuffer(
            bytes: Array("HTTP/1.1 200 OK\r\nA: ".utf8) + [0xe9, 0xff] + Array("\r\n\r\n".utf8))
        var parser = HeadParser(mode: .strict, limits: .answer)
        let head = try #require(try parser.parseResponse(&buffer))
        var out = ByteBuffer()
        head.serialize(into: &out)
        #expect(Array(out.readableBytesView).contains(0xe9))
        var again = HeadParser(mode: .strict, limits: .answer)
        #expect(try again.parseResponse(&out) == head)
    }
}
