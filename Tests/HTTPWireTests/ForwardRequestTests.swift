import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

/// What a proxy makes of a request in absolute form before the origin sees it.
@Suite struct ForwardRequestTests {
    static let end = "Via: 1.1 me\r\n\r\n"

    /// The request as it goes on, without its method line's version and the end that all have.
    static func passedOn(_ text: String, to hop: ForwardHop = .origin) throws -> String {
        var parser = HeadParser(mode: .strict, limits: .serving)
        var buffer = ByteBuffer(string: text)
        let head = try #require(try parser.parseRequest(&buffer))
        let framing = try BodyFraming.of(request: head)
        let request = try #require(try ForwardRequest(head, framing: framing))
        var output = ByteBuffer()
        request.serialize(into: &output, to: hop, pseudonym: "me")
        return output.text
    }

    @Test(
        "the target decides where to, in origin form, and names the host",
        arguments: [
            ("GET http://a.test/x?y=1", "GET /x?y=1", "a.test"),
            ("GET HTTP://A.Test./", "GET /", "a.test"),
            ("GET http://a.test:80/", "GET /", "a.test"),
            ("GET http://a.test:8080", "GET /", "a.test:8080"),
            ("GET http://a.test?q=http://b.test/", "GET /?q=http://b.test/", "a.test"),
            ("GET http://[::1]:81//double", "GET //double", "[::1]:81"),
            ("GET http://127.0.0.1/a%20b", "GET /a%20b", "127.0.0.1"),
            ("OPTIONS http://a.test", "OPTIONS *", "a.test"),
            ("OPTIONS http://a.test/", "OPTIONS /", "a.test"),
            ("OPTIONS http://a.test?", "OPTIONS /?", "a.test"),
            ("PURGE http://a.test/cache", "PURGE /cache", "a.test"),
        ])
    func target(line: String, originForm: String, host: String) throws {
        let text = try Self.passedOn("\(line) HTTP/1.1\r\nHost: evil.test\r\n\r\n")
        #expect(text == "\(originForm) HTTP/1.1\r\nHost: \(host)\r\n\(Self.end)")
    }

    @Test(
        "a parent gets the absolute form, normalised, and its own credentials alone",
        arguments: [
            ("GET http://A.test:80/x", "GET http://a.test/x"),
            ("OPTIONS http://a.test:81", "OPTIONS http://a.test:81"),
        ])
    func parent(line: String, absoluteForm: String) throws {
        let text = try Self.passedOn(
            "\(line) HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic b3Vycw==\r\n\r\n",
            to: .parent(authorization: "Basic dGhlaXJz"))
        #expect(text.hasPrefix("\(absoluteForm) HTTP/1.1\r\nHost: a.test"))
        #expect(text.hasSuffix("Proxy-Authorization: Basic dGhlaXJz\r\n\r\n"))
        #expect(!text.contains("b3Vycw"))
    }

    @Test(
        "an authority that two parsers could read differently is refused",
        arguments: [
            "http://", "http:///x", "http://u@a.test/", "http://u:p@a.test/", "http://a.test:0/",
            "http://a.test:65536/", "http://a.test:/", "http://a.test:8a/", "http://0177.0.0.1/",
            "http://0x7f.1/", "http://127.1/", "http://2130706433/", "http://[a.test]/",
            "http://[127.0.0.1]/", "http://a%2etest/", "http://a_b\\c/", "http://::1/", "http://a.test#x",
            "http://a.test/#x", "http://a..b/",
        ])
    func malformedTarget(target: String) throws {
        let head = RequestHead(method: .get, target: target)
        #expect(throws: MalformedRequest.self) { try ForwardRequest(head, framing: .none) }
    }

    @Test(
        "other forms and schemes are not for forwarding",
        arguments: ["/", "*", "a.test:80", "https://a.test/", "httpx://a/", "http:/a.test/", "http:a.test"])
    func otherForms(target: String) throws {
        #expect(try ForwardRequest(RequestHead(method: .get, target: target), framing: .none) == nil)
    }

    @Test(
        "what belongs to one connection ends there",
        arguments: [
            ("Connection: close, X-Secret\r\nX-Secret: 1\r\nX-Kept: 2\r\n", "X-Kept: 2\r\n"),
            ("Connection: x-a\r\nConnection: X-B ,, x-c\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n", ""),
            ("Connection: Connection\r\nX-Kept: 1\r\n", "X-Kept: 1\r\n"),
            ("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", ""),
            ("Proxy-Connection: Keep-Alive\r\nProxy-Authorization: Basic x\r\nProxy-Foo: 1\r\n", ""),
            ("TE: trailers\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n", ""),
            ("Connection: Host, Via\r\nVia: 1.0 other\r\n", ""),
            (
                "Authorization: Basic x\r\nCookie: a=b\r\nX-Set: ü\r\n",
                "Authorization: Basic x\r\nCookie: a=b\r\nX-Set: ü\r\n"
            ),
            ("Via: 1.0 other\r\n", "Via: 1.0 other\r\n"),
            ("Max-Forwards: 3\r\n", "Max-Forwards: 3\r\n"),
            ("Expect: 100-continue\r\n", "Expect: 100-continue\r\n"),
        ])
    func hopByHop(fields: String, kept: String) throws {
        let text = try Self.passedOn("GET http://a/ HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        #expect(text == "GET / HTTP/1.1\r\nHost: a\r\n\(kept)\(Self.end)")
    }

    @Test(
        "the framing goes out as it was understood, once",
        arguments: [
            ("POST", "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5\r\n"),
            ("POST", "content-length: 007, 7\r\n", "Content-Length: 7\r\n"),
            ("POST", "Content-Length: 0\r\n", "Content-Length: 0\r\n"),
            ("POST", "Transfer-Encoding: Chunked\r\n", "Transfer-Encoding: chunked\r\n"),
            ("POST", "Connection: Content-Length\r\nContent-Length: 5\r\n", "Content-Length: 5\r\n"),
            ("GET", "", ""),
        ])
    func framing(method: String, fields: String, framing: String) throws {
        let text = try Self.passedOn("\(method) http://a/ HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        #expect(text == "\(method) / HTTP/1.1\r\nHost: a\r\nVia: 1.1 me\r\n\(framing)\r\n")
    }

    @Test("a client of HTTP/1.0 is told of in Via, and has no Expect") func oldClient() throws {
        let text = try Self.passedOn(
            "POST http://a/ HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        #expect(text == "POST / HTTP/1.1\r\nHost: a\r\nVia: 1.0 me\r\nContent-Length: 1\r\n\r\n")
    }

    @Test("an upgrade to WebSocket is passed on, and nothing else of the kind") func upgrade() throws {
        let head = "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
        let text = try Self.passedOn(head + "Upgrade: h2c, WebSocket\r\nSec-WebSocket-Key: x\r\n\r\n")
        #expect(text.hasSuffix("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
        #expect(text.contains("Sec-WebSocket-Key: x\r\n") && !text.contains("h2c"))
        for other in [
            head + "Upgrade: h2c\r\n\r\n", head + "Upgrade: TLS/1.0\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
            "GET http://a/ HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\n",
        ] {
            #expect(!(try Self.passedOn(other)).contains("pgrade"))
        }
    }

    @Test(
        "Max-Forwards counts down for OPTIONS and TRACE",
        arguments: [("OPTIONS", "5", "4"), ("TRACE", "1", "0"), ("TRACE", "007", "6")])
    func maxForwards(method: String, given: String, sent: String) throws {
        let text = try Self.passedOn(
            "\(method) http://a/ HTTP/1.1\r\nHost: a\r\nMax-Forwards: \(given)\r\n\r\n")
        #expect(text.contains("\r\nMax-Forwards: \(sent)\r\n"))
    }

    @Test(
        "Max-Forwards that is no number, and TRACE with a body, are refused",
        arguments: [
            ("TRACE", "Max-Forwards: -1\r\n"), ("OPTIONS", "Max-Forwards: x\r\n"),
            ("TRACE", "Max-Forwards: 1\r\nMax-Forwards: 2\r\n"), ("TRACE", "Content-Length: 1\r\n"),
            ("OPTIONS", "Max-Forwards: 9999999999999999999\r\n"),
        ])
    func malformed(method: String, fields: String) throws {
        #expect(throws: MalformedRequest.self) {
            try Self.passedOn("\(method) http://a/ HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        }
    }

    @Test(
        "what may be sent twice is idempotent and has no body",
        arguments: [
            ("GET", "", true), ("HEAD", "", true), ("DELETE", "", true),
            ("PUT", "Content-Length: 0\r\n", true),
            ("PUT", "Content-Length: 1\r\n", false), ("POST", "", false), ("PATCH", "", false),
            ("CUSTOM", "", false),
            ("GET", "Connection: upgrade\r\nUpgrade: websocket\r\n", false),
        ])
    func repeatable(method: String, fields: String, isRepeatable: Bool) throws {
        var parser = HeadParser(mode: .strict, limits: .serving)
        var buffer = ByteBuffer(string: "\(method) http://a/ HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        let head = try #require(try parser.parseRequest(&buffer))
        let request = try ForwardRequest(head, framing: try BodyFraming.of(request: head))
        #expect(request?.isRepeatable == isRepeatable)
    }

    @Test(
        "a date in HTTP's format",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ])
    func date(seconds: Int64, text: String) {
        #expect(HTTPDate.text(secondsSince1970: seconds) == text)
    }
}
