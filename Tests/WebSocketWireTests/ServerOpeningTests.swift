import HTTPTypes
import HTTPWire
import NIOCore
import Testing
import WebSocketWire

@Suite("A server's connection up to its first answer")
struct ServerOpeningTests {
    private static let upgrade = ServerHandshakeTests.request()
    private static let plain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test("an upgrade comes out of any cut, with the bytes behind it")
    func cuts() {
        let text = Self.upgrade + "behind"
        for cut in 0..<text.utf8.count {
            var opening = ServerOpening(origins: .any)
            var actions = [opening.receive(ByteBuffer(string: String(text.prefix(cut))))]
            actions.append(opening.receive(ByteBuffer(string: String(text.dropFirst(cut)))))
            let upgrades = actions.filter { if case .upgrade = $0 { true } else { false } }
            #expect(upgrades.count == 1, "cut at \(cut)")
            let leftover = opening.takeLeftover()
            #expect(leftover == ByteBuffer(string: "behind"), "cut at \(cut)")
        }
    }

    @Test("any other request comes out with every byte received")
    func otherRequest() {
        var opening = ServerOpening(origins: .any)
        let first = opening.receive(ByteBuffer(string: "GET / HT"))
        #expect(first == .needMore)
        let rest = Self.plain.dropFirst("GET / HT".count) + "body"
        guard case .other(let head, let bytes) = opening.receive(ByteBuffer(string: String(rest))) else {
            Issue.record("not told")
            return
        }
        #expect(head.target == "/")
        #expect(String(buffer: bytes) == Self.plain + "body")
    }

    @Test(
        "what is malformed is refused with the status that says so",
        arguments: [
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400), ("\u{16}\u{3}\u{1}", 400),
            ("GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 20_000))\r\n\r\n", 431),
            (ServerHandshakeTests.request(key: nil), 400),
            (ServerHandshakeTests.request(line: "POST /chat HTTP/1.1"), 405),
            (ServerHandshakeTests.request(version: "Sec-WebSocket-Version: 12"), 426),
            (ServerHandshakeTests.request(more: ["Origin: https://evil.example"]), 403),
            (ServerHandshakeTests.request(more: ["Origin: http://server.example.com", "Origin: null"]), 400),
        ])
    func refusals(text: String, status: Int) {
        var opening = ServerOpening(origins: .sameHost)
        guard case .refuse(let refusal) = opening.receive(ByteBuffer(string: text)) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.status.code == status)
        let (action, leftover) = (opening.receive(ByteBuffer(string: "more")), opening.takeLeftover())
        #expect(action == .needMore)
        #expect(leftover == nil)
    }

    @Test("the deadline tells silence, a dawdling head and a slow decision apart")
    func deadline() {
        func outcome(of text: String) -> ServerOpening.Action {
            var opening = ServerOpening(origins: .any)
            if !text.isEmpty { _ = opening.receive(ByteBuffer(string: text)) }
            return opening.deadlineExpired()
        }
        #expect(outcome(of: "") == .close)
        for (text, status) in [("GET / HT", 408), (Self.upgrade, 503), (Self.plain, 503)] {
            guard case .refuse(let refusal) = outcome(of: text) else {
                Issue.record("\(text) is not refused")
                continue
            }
            #expect(refusal.status.code == status)
        }
    }

    @Test("a server that stops waits for no request, but answers the one it has")
    func stop() {
        var silent = ServerOpening(origins: .any)
        let whenSilent = silent.stop()
        #expect(whenSilent == .close)
        var deciding = ServerOpening(origins: .any)
        _ = deciding.receive(ByteBuffer(string: Self.upgrade))
        let whenDeciding = deciding.stop()
        #expect(whenDeciding == .needMore)
        let (first, second) = (deciding.takeLeftover(), deciding.takeLeftover())
        #expect(first == ByteBuffer())
        #expect(second == nil)
    }

    @Test("the end of the input is the end")
    func endOfInput() {
        var opening = ServerOpening(origins: .any)
        _ = opening.receive(ByteBuffer(string: Self.upgrade))
        let (action, leftover) = (opening.receiveEOF(), opening.takeLeftover())
        #expect(action == .close)
        #expect(leftover == nil)
    }

    @Test(
        "origins: the host's own, or those listed, whatever their case and default port",
        arguments: [
            (WebSocketOrigins.any, "https://evil.example", true),
            (.sameHost, "http://server.example.com", true),
            (.sameHost, "https://server.example.com", true),
            (.sameHost, "https://server.example.com:443", true),
            (.sameHost, "http://server.example.com:8080", false),
            (.sameHost, "http://server.example.com.evil.example", false), (.sameHost, "null", false),
            (.sameHost, "file://", false), (.listed(["https://a.example"]), "https://A.example:443", true),
            (.listed(["https://a.example"]), "http://a.example", false),
            (.listed(["https://a.example"]), "null", false), (.listed(["null"]), "null", true),
            (.listed([]), "http://server.example.com", false),
        ])
    func origins(origins: WebSocketOrigins, origin: String, isLetIn: Bool) {
        var opening = ServerOpening(origins: origins)
        let request = ServerHandshakeTests.request(more: ["Origin: \(origin)"])
        if case .upgrade = opening.receive(ByteBuffer(string: request)) {
            #expect(isLetIn)
        } else {
            #expect(!isLetIn)
        }
    }
}
