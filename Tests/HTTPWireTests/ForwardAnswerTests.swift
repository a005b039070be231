import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

@Suite("Forwarding: answers") struct ForwardAnswerTests {
    @Test("an answer passes however it is cut, with Via and the date it lacked") func whole() throws {
        let answer = "HTTP/1.1 200 Fine\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nhi"
        for packets in Feeding.cuts(answer) {
            var exchange = try Exchange(forwardGET)
            #expect(exchange.toOrigin == "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 me\r\n\r\n")
            for packet in packets { exchange.origin(packet.text) }
            #expect(
                exchange.toClient
                    == "HTTP/1.1 200 Fine\r\nX-A: 1\r\nContent-Length: 2\r\n\(forwardDate)Via: 1.1 me\r\n\r\nhi"
            )
            #expect(exchange.end?.keepsClient == true)
            #expect(exchange.end?.origin == .reusable)
        }
    }

    @Test(
        "an answer is framed anew for its client",
        arguments: [
            // origin's head and body, closes, client's version, framing told, body, client persists, origin persists
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n", false,
                1, "Transfer-Encoding: chunked", "2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n", true, true
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nContent-Length: 9\r\n\r\n",
                false, 1, "Transfer-Encoding: chunked", "2\r\nhi\r\n0\r\n\r\n", true, true
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", false, 0,
                "Connection: close", "hi", false, true
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, 0, "Content-Length: 2", "hi", false,
                true
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\nhi", true, 1, "Transfer-Encoding: chunked", "2\r\nhi\r\n0\r\n\r\n",
                true, false
            ),
            (
                "HTTP/1.0 200 OK\r\n\r\nhi", true, 1, "Transfer-Encoding: chunked", "2\r\nhi\r\n0\r\n\r\n",
                true, false
            ),
            ("HTTP/1.0 200 OK\r\n\r\nhi", true, 0, "Connection: close", "hi", false, false),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", false, 1,
                "Content-Length: 2", "hi", true, true
            ),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, 1, "Content-Length: 2", "hi", true,
                false
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", false, 1,
                "Content-Length: 2", "hi", true, false
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi", false, 1,
                "Content-Length: 2", "hi", true, true
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, 1, "Content-Length: 0", "", true, true),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, 1, "Via: 1.1 me", "", true, true),
            (
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, 1, "Via: 1.1 me", "", true,
                true
            ),
            (
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                false, 1, "Transfer-Encoding: chunked", "2\r\nhi\r\n0\r\n\r\n", true, false
            ),
            (
                "HTTP/1.1 200 OK\nContent-Length: 2\nX : y\n folded\n\nhi", false, 1, "Content-Length: 2",
                "hi", true, true
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n\r\n", false, 1,
                "Content-Length: 2", "hi", true, false
            ),
        ] as [(String, Bool, Int, String, String, Bool, Bool)])
    func framing(
        answer: String, closes: Bool, minor: Int, told: String, body: String, keepsClient: Bool,
        keepsOrigin: Bool
    ) throws {
        for whole in [true, false] {
            var exchange = try Exchange("GET http://a/ HTTP/1.\(minor)\r\nHost: a\r\n\r\n")
            if whole {
                exchange.origin(answer)
            } else {
                for byte in answer.utf8 { exchange.origin(String(UnicodeScalar(byte))) }
            }
            if closes { exchange.originCloses() }
            #expect(exchange.head.contains("\r\n\(told)\r\n"), "\(exchange.toClient)")
            #expect(exchange.head.components(separatedBy: "Content-Length").count <= 2)
            if whole || !told.hasPrefix("Transfer") { #expect(exchange.body == body) }
            let end = try #require(exchange.end, "\(String(describing: exchange.failure))")
            #expect(end.keepsClient == keepsClient)
            // Byte by byte, what is behind the answer comes too late to matter.
            if whole || !answer.contains("hiHTTP") { #expect((end.origin == .reusable) == keepsOrigin) }
        }
    }

    @Test(
        "an answer to HEAD tells the length and has no body",
        arguments: [
            ("Content-Length: 500\r\n", "Content-Length: 500\r\n"), ("Transfer-Encoding: chunked\r\n", ""),
            ("", ""),
        ])
    func head(fields: String, told: String) throws {
        var exchange = try Exchange("HEAD http://a/ HTTP/1.1\r\nHost: a\r\n\r\n")
        exchange.origin("HTTP/1.1 200 OK\r\n\(fields)\r\n")
        #expect(exchange.toClient == "HTTP/1.1 200 OK\r\n\(told)\(forwardDate)Via: 1.1 me\r\n\r\n")
        #expect(exchange.end?.origin == .reusable)
        #expect(exchange.end?.keepsClient == true)
    }

    @Test(
        "an answer that could be read in two ways is a 502",
        arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n", "HTTP/2 200\r\n\r\n", "ICY 200 OK\r\n\r\n", "<html>",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        ])
    func smuggling(answer: String) throws {
        var exchange = try Exchange(forwardGET)
        exchange.origin(answer)
        #expect(exchange.refusal?.status == 502)
        #expect(exchange.toClient.isEmpty)
        guard case .refuse(_, _, _, mayPersist: true) = exchange.failure else {
            Issue.record("the client's connection is not to blame")
            return
        }
    }

    @Test("what belongs to the origin's connection ends there") func hopByHop() throws {
        var exchange = try Exchange(forwardGET)
        exchange.origin(
            "HTTP/1.1 200 OK\r\nConnection: X-A\r\nX-A: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n"
                + "Proxy-Status: origin; received-status=200\r\nUpgrade: h2c\r\nDate: now\r\nSet-Cookie: a\r\n"
                + "Set-Cookie: b\r\nVia: 1.1 cdn\r\nContent-Length: 0\r\n\r\n")
        #expect(
            exchange.toClient
                == "HTTP/1.1 200 OK\r\nProxy-Status: origin; received-status=200\r\nDate: now\r\nSet-Cookie: a\r\n"
                + "Set-Cookie: b\r\nVia: 1.1 cdn\r\nContent-Length: 0\r\nVia: 1.1 me\r\n\r\n")
    }

    @Test(
        "an answer cut short never looks complete",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", 1, true, false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi", 1, true, false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", 0, true, true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n-1\r\n", 1, true, false),
            ("HTTP/1.1 200 OK\r\n\r\nhi", 1, false, false), ("HTTP/1.1 200 OK\r\n\r\nhi", 0, false, true),
        ])
    func truncated(answer: String, minor: Int, isClean: Bool, byReset: Bool) throws {
        var exchange = try Exchange("GET http://a/ HTTP/1.\(minor)\r\nHost: a\r\n\r\n")
        exchange.origin(answer)
        exchange.originCloses(isClean: isClean)
        #expect(exchange.end == nil)
        #expect(!exchange.toClient.hasSuffix("0\r\n\r\n"))
        if exchange.failure == nil { Issue.record("no failure") }
        guard case .cut(_, let reset) = exchange.failure else { return }
        #expect(reset == byReset)
    }

    @Test("every interim answer passes, but none to a client of HTTP/1.0", arguments: [0, 1]) func interim(
        minor: Int
    )
        throws
    {
        var exchange = try Exchange("GET http://a/ HTTP/1.\(minor)\r\nHost: a\r\n\r\n")
        exchange.origin(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\nHTTP/1.1 102 \r\n\r\nHTTP/1.1 2")
        exchange.origin("00 OK\r\nContent-Length: 0\r\n\r\n")
        let hints =
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nVia: 1.1 me\r\n\r\nHTTP/1.1 102 \r\nVia: 1.1 me\r\n\r\n"
        #expect(exchange.toClient.hasPrefix(minor == 1 ? hints + "HTTP/1.1 200" : "HTTP/1.1 200"))
        #expect(exchange.end != nil)
    }

    @Test("interim answers without end are a 502") func endlessInterim() throws {
        var exchange = try Exchange(forwardGET)
        for _ in 0..<65 where exchange.failure == nil { exchange.origin("HTTP/1.1 100 Continue\r\n\r\n") }
        #expect(exchange.refusal?.error == .protocolError)
    }

    @Test(
        "a connection that authenticates is for its client alone",
        arguments: [
            ("", "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x, NTLM\r\nContent-Length: 0\r\n\r\n"),
            ("", "HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n"),
            ("Authorization: NTLM TlRM\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ])
    func bound(fields: String, answer: String) throws {
        var exchange = try Exchange("GET http://a/ HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        exchange.origin(answer)
        #expect(exchange.end?.origin == .bound)
    }
}
