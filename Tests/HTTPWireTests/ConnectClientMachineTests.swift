import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

@Suite struct ConnectClientMachineTests {
    typealias Action = ConnectClientMachine.Action

    static func machine(fields: HTTPFields = [:], maxRefusalBody: Int = 16 << 10) throws
        -> ConnectClientMachine
    {
        ConnectClientMachine(
            target: try Authority("a.test:443"), fields: fields, maxRefusalBody: maxRefusalBody)
    }

    /// Feeds packets until something happens; bytes after that are appended to an established leftover, as a
    /// handler would.
    static func run(_ packets: [ByteBuffer], eof: Bool = false) throws -> Action {
        var machine = try machine()
        _ = machine.start(proxyAuthorization: nil)
        var result = Action.needMore
        for packet in packets {
            switch result {
            case .needMore: result = machine.receive(packet)
            case .established(let head, var leftover):
                leftover.writeImmutableBuffer(packet)
                result = .established(head, leftover: leftover)
            default: return result
            }
        }
        if case .needMore = result, eof { result = machine.receiveEOF() }
        return result
    }

    @Test("the request is one buffer, strict, with the defaults") func request() throws {
        var machine = try Self.machine()
        #expect(
            machine.start(proxyAuthorization: nil).text
                == "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nUser-Agent: Culvert\r\n"
                + "Proxy-Connection: Keep-Alive\r\n\r\n")
        var v6 = ConnectClientMachine(target: try Authority("[2001:DB8::1]:443"))
        #expect(v6.start(proxyAuthorization: nil).text.hasPrefix("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"))
    }

    @Test("fields replace defaults and add to them; credentials only when given") func fields() throws {
        var machine = try Self.machine(fields: [.userAgent: "x", .accept: "y", .proxyConnection: "close"])
        let text = machine.start(proxyAuthorization: "Basic abc").text
        var buffer = ByteBuffer(string: text)
        var parser = HeadParser(mode: .strict, limits: .serving)
        let head = try #require(try parser.parseRequest(&buffer))
        #expect(head.fields[values: .userAgent] == ["x"])
        #expect(head.fields[values: .proxyConnection] == ["close"])
        #expect(head.fields[values: .accept] == ["y"])
        #expect(head.fields[values: .host] == ["a.test:443"])
        #expect(head.fields[values: .proxyAuthorization] == ["Basic abc"])
    }

    @Test(
        "any 2xx establishes the tunnel, and every byte behind the head is the tunnel's",
        arguments: [
            "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 201 Created\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 299 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\nA: b\n\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ])
    func established(head: String) throws {
        for tail in ["", "SSH-2.0-OpenSSH_9\r\n", "220 mail ESMTP\r\n", "HTTP/1.1 500 of the origin\r\n\r\n"]
        {
            for packets in Feeding.cuts(head + tail) {
                guard case .established(let answer, let leftover) = try Self.run(packets) else {
                    Issue.record("no tunnel from \(packets.map(\.text))")
                    continue
                }
                #expect((200...299).contains(answer.response.status.code))
                #expect(leftover.text == tail)
            }
        }
    }

    @Test("a tunnel stands after 20 KB of head with a 6 KB line, one byte per packet") func largeHead() throws
    {
        let long = "X: " + String(repeating: "a", count: 6 << 10) + "\r\n"
        let many = (0..<140).map { "X-\($0): " + String(repeating: "b", count: 100) + "\r\n" }.joined()
        for packets in Feeding.cuts("HTTP/1.1 200 OK\r\n" + long + many + "\r\nx", everySplit: false) {
            guard case .established(_, let leftover) = try Self.run(packets) else {
                Issue.record("no tunnel")
                continue
            }
            #expect(leftover.text == "x")
        }
    }

    struct Challenge: Sendable {
        var wire: String
        var body = ""
        var challenges = ["Basic realm=\"p\""]
        var keeps: Bool
        var truncated = false
        var eof = false
    }

    static let basic = "Proxy-Authenticate: Basic realm=\"p\"\r\n"

    @Test(
        "a 407 is read to the end of its body, and says whether the connection lives on",
        arguments: [
            Challenge(
                wire: "HTTP/1.1 407 P\r\n\(basic)Content-Length: 5\r\n\r\nhello", body: "hello", keeps: true),
            Challenge(wire: "HTTP/1.1 407 P\r\n\(basic)Content-Length: 0\r\n\r\n", keeps: true),
            Challenge(
                wire: "HTTP/1.1 407 P\r\n\(basic)Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                body: "hello",
                keeps: true),
            Challenge(wire: "HTTP/1.1 407 P\r\n\(basic)\r\nhello", body: "hello", keeps: false, eof: true),
            Challenge(
                wire: "HTTP/1.1 407 P\r\n\(basic)Connection: close\r\nContent-Length: 2\r\n\r\nab",
                body: "ab", keeps: false),
            Challenge(
                wire: "HTTP/1.1 407 P\r\n\(basic)Proxy-Connection: Close\r\nContent-Length: 2\r\n\r\nab",
                body: "ab",
                keeps: false),
            Challenge(
                wire: "HTTP/1.0 407 P\r\n\(basic)Content-Length: 2\r\n\r\nab", body: "ab", keeps: false),
            Challenge(
                wire: "HTTP/1.0 407 P\r\n\(basic)Proxy-Connection: keep-alive\r\nContent-Length: 2\r\n\r\nab",
                body: "ab",
                keeps: true),
            Challenge(
                wire: "HTTP/1.1 407 P\r\n\(basic)Content-Length: 9\r\n\r\nab", body: "ab", keeps: false,
                truncated: true,
                eof: true),
            Challenge(
                wire: "HTTP/1.1 407 P\r\n\(basic)Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n!", body: "ab",
                keeps: false,
                truncated: true, eof: true),
            Challenge(
                wire:
                    "HTTP/1.1 407 P\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM, Basic realm=\"a, b\"\r\n"
                    + "Content-Length: 0\r\n\r\n",
                challenges: ["Negotiate", "NTLM, Basic realm=\"a, b\""], keeps: true),
            Challenge(
                wire: "HTTP/1.1 407 P\r\n\(basic)Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                body: "ab", keeps: false,
                eof: true),
            Challenge(
                wire: "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 407 P\n\(basic)Content-Length: 1\n\nx", body: "x",
                keeps: true),
        ])
    func challenged(challenge: Challenge) throws {
        for packets in Feeding.cuts(challenge.wire) {
            let action = try Self.run(packets, eof: challenge.eof)
            guard case .challenged(let refusal, let challenges, let keeps) = action else {
                Issue.record("\(action)")
                continue
            }
            #expect(refusal.response.status.code == 407)
            #expect(refusal.body.text == challenge.body)
            #expect(refusal.bodyTruncated == challenge.truncated)
            #expect(challenges == challenge.challenges)
            #expect(keeps == challenge.keeps)
        }
    }

    @Test("bytes behind a 407 are nobody's: the connection is not kept") func bytesBehind() throws {
        let wire = "HTTP/1.1 407 P\r\n\(Self.basic)Content-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n"
        guard case .challenged(_, _, false) = try Self.run([ByteBuffer(string: wire)]) else {
            Issue.record("kept")
            return
        }
    }

    @Test(
        "a body beyond the bound is not drained for ever",
        arguments: ["Content-Length: 999999999", "Transfer-Encoding: chunked", "A: b"])
    func hugeBody(framing: String) throws {
        var machine = try Self.machine(maxRefusalBody: 10)
        _ = machine.start(proxyAuthorization: nil)
        var action = machine.receive(ByteBuffer(string: "HTTP/1.1 407 P\r\n\(Self.basic)\(framing)\r\n\r\n"))
        var sent = 0
        while case .needMore = action, sent < 1 << 20 {
            action = machine.receive(
                ByteBuffer(string: "400\r\n" + String(repeating: "z", count: 1024) + "\r\n"))
            sent += 1031
        }
        guard case .challenged(let refusal, _, keepsConnection: false) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(refusal.bodyTruncated)
        #expect(refusal.body.readableBytes == 10)
        #expect(sent <= RefusalReader.maxDrained + 4096)
    }

    @Test(
        "everything else from 300 up is refused, with its body",
        arguments: [
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403, "no", false),
            ("HTTP/1.1 302 Found\r\nLocation: x\r\n\r\nlogin", 302, "login", false),
            ("HTTP/1.1 407 P\r\nContent-Length: 2\r\n\r\nno", 407, "no", false),
            ("HTTP/1.1 407 P\r\nProxy-Authenticate:\r\nContent-Length: 0\r\n\r\n", 407, "", false),
            ("HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 401, "", false),
            ("HTTP/1.0 503 x\n\nsorry", 503, "sorry", false),
            ("HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n", 304, "", false),
            ("HTTP/1.1 502 B\r\nContent-Length: 50\r\n\r\nearly", 502, "early", true),
            ("HTTP/1.1 502 B\r\nTransfer-Encoding: chunked\r\n\r\n", 502, "", true),
        ] as [(String, Int, String, Bool)])
    func refused(wire: String, status: Int, body: String, truncated: Bool) throws {
        for packets in Feeding.cuts(wire) {
            guard case .refused(let refusal) = try Self.run(packets, eof: true) else {
                Issue.record("not refused")
                continue
            }
            #expect(refusal.response.status.code == status)
            #expect(refusal.body.text == body)
            #expect(refusal.bodyTruncated == truncated)
        }
    }

    @Test(
        "what is not HTTP is shown, not parsed",
        arguments: [
            "<html>sorry</html>", "SSH-2.0-OpenSSH\r\n", "\u{15}\u{3}\u{1}\u{0}\u{2}", "220 mail\r\n",
        ])
    func notHTTP(wire: String) throws {
        #expect(try Self.run([ByteBuffer(string: wire)]) == .failed(.notHTTP(ASCII.escaped(wire.utf8))))
        guard case .failed(.notHTTP) = try Self.run(wire.utf8.map { ByteBuffer(bytes: [$0]) }) else {
            Issue.record("not noticed byte by byte")
            return
        }
    }

    @Test("a proxy that closes in the middle of the head says after how many bytes") func closes() throws {
        #expect(try Self.run([], eof: true) == .failed(.closed(afterBytes: 0)))
        #expect(
            try Self.run([ByteBuffer(string: "HTTP/1.1 20")], eof: true) == .failed(.closed(afterBytes: 11)))
        let interim = ByteBuffer(string: "HTTP/1.1 100 C\r\n\r\nHTT")
        #expect(try Self.run([interim], eof: true) == .failed(.closed(afterBytes: 3)))
    }

    @Test("101 and endless interim answers are failures") func interim() throws {
        #expect(try Self.run([ByteBuffer(string: "HTTP/1.1 101 S\r\n\r\n")]) == .failed(.switchedProtocols))
        let many = String(repeating: "HTTP/1.1 100 C\r\n\r\n", count: 17)
        #expect(try Self.run([ByteBuffer(string: many)]) == .failed(.tooManyInterimAnswers(16)))
        let some = String(repeating: "HTTP/1.1 100 C\r\n\r\n", count: 16) + "HTTP/1.1 200 OK\r\n\r\n"
        guard case .established = try Self.run([ByteBuffer(string: some)]) else {
            Issue.record("16 are allowed")
            return
        }
    }

    @Test(
        "a malformed or oversized head is a wire error",
        arguments: [
            ("HTTP/1.1 abc\r\n\r\n", .malformedStartLine), ("HTTP/2 200\r\n\r\n", .unsupportedVersion),
            ("HTTP/1.1 200 " + String(repeating: "a", count: 70_000), .startLineTooLong),
        ] as [(String, WireError.Code)])
    func wireErrors(wire: String, code: WireError.Code) throws {
        guard case .failed(.wire(let error)) = try Self.run([ByteBuffer(string: wire)]) else {
            Issue.record("no wire error")
            return
        }
        #expect(error.code == code)
    }

    @Test("after a challenge the same connection carries the next try") func retry() throws {
        var machine = try Self.machine()
        _ = machine.start(proxyAuthorization: nil)
        let answer = ByteBuffer(
            string: "HTTP/1.1 407 P\r\n\(Self.basic)Content-Length: 3072\r\n\r\n"
                + String(repeating: "s", count: 3072))
        for round in 1...3 {
            guard case .challenged(_, _, keepsConnection: true) = machine.receive(answer) else {
                Issue.record("round \(round)")
                return
            }
            let request = machine.retry(proxyAuthorization: "Basic \(round)").text
            #expect(request.contains("Proxy-Authorization: Basic \(round)\r\n"))
            #expect(request.hasPrefix("CONNECT a.test:443 HTTP/1.1\r\n"))
        }
        guard
            case .established(_, let leftover) = machine.receive(
                ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\nhi"))
        else {
            Issue.record("no tunnel")
            return
        }
        #expect(leftover.text == "hi")
    }

    @Test("events in states that do not wait for them fail, and keep failing") func outOfOrder() throws {
        var idle = try Self.machine()
        #expect(idle.receive(ByteBuffer(string: "hi")) == .failed(.unexpectedBytes("hi")))
        _ = idle.start(proxyAuthorization: nil)  // A new start is a new exchange.
        #expect(idle.receiveEOF() == .failed(.closed(afterBytes: 0)))
        #expect(
            idle.receive(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n")) == .failed(.closed(afterBytes: 0)))
        #expect(idle.receiveEOF() == .failed(.closed(afterBytes: 0)))

        var unstarted = try Self.machine()
        #expect(unstarted.receiveEOF() == .failed(.closed(afterBytes: 0)))

        var challenged = try Self.machine()
        _ = challenged.start(proxyAuthorization: nil)
        _ = challenged.receive(ByteBuffer(string: "HTTP/1.1 407 P\r\n\(Self.basic)Content-Length: 0\r\n\r\n"))
        #expect(challenged.receive(ByteBuffer(string: "x")) == .failed(.unexpectedBytes("x")))
        #expect(challenged.retry(proxyAuthorization: "b").readableBytes > 0)
        #expect(
            challenged.receive(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"))
                == .failed(.unexpectedBytes("x")))

        var closed = try Self.machine()
        _ = closed.start(proxyAuthorization: nil)
        _ = closed.receive(ByteBuffer(string: "HTTP/1.1 407 P\r\n\(Self.basic)Content-Length: 0\r\n\r\n"))
        #expect(closed.receiveEOF() == .failed(.closed(afterBytes: 0)))

        var refused = try Self.machine()
        _ = refused.start(proxyAuthorization: nil)
        _ = refused.receive(ByteBuffer(string: "HTTP/1.1 403 P\r\nContent-Length: 0\r\n\r\n"))
        #expect(refused.receive(ByteBuffer(string: "x")) == .failed(.unexpectedBytes("x")))
    }

    @Test("failures read as sentences without control characters") func descriptions() {
        let failures: [ConnectFailure] = [
            .notHTTP("x"), .closed(afterBytes: 0), .closed(afterBytes: 3), .wire(WireError(.obsFold, "d")),
            .switchedProtocols, .tooManyInterimAnswers(16), .unexpectedBytes("y"),
        ]
        #expect(Set(failures.map(\.description)).count == failures.count)
        #expect(failures.allSatisfy { $0.description.hasPrefix("the proxy") })
    }
}
