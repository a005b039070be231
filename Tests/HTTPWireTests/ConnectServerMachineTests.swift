import HTTPTypes
import NIOCore
import Testing

@testable import HTTPWire

@Suite struct ConnectServerMachineTests {
    typealias Action = ConnectServerMachine.Action

    static let connect = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
    static let denial = Rejection(status: 403, reason: "rule 1", text: "Not allowed.")

    static func reached(_ text: String, authentication: Bool = false) -> (ConnectServerMachine, Action) {
        var machine = ConnectServerMachine(requiresAuthentication: authentication)
        let action = machine.receive(ByteBuffer(string: text))
        return (machine, action)
    }

    static func status(_ action: Action) -> Int? {
        if case .reject(_, let rejection, _) = action { rejection.status } else { nil }
    }

    /// The response of a rejection, checked to be complete, framed and honest about the connection.
    static func response(_ action: Action) throws -> ResponseHead {
        guard case .reject(var response, let rejection, let after) = action else {
            throw WireError(.malformedStartLine, "\(action)")
        }
        var parser = HeadParser(mode: .strict, limits: .answer)
        let head = try #require(try parser.parseResponse(&response))
        let fields = head.response.headerFields
        #expect(head.response.status.code == rejection.status)
        #expect(fields[.contentLength] == String(response.readableBytes))
        #expect(fields[.contentType]?.hasPrefix("text/plain") == true)
        #expect(fields[.connection] == (after == .close ? "close" : "keep-alive"))
        #expect(response.text.hasPrefix(rejection.text))
        return head
    }

    @Test("CONNECT goes from head to tunnel however it is cut, early bytes held until the 2xx") func tunnel()
        throws
    {
        for packets in Feeding.cuts(Self.connect + "early!") {
            var machine = ConnectServerMachine(requiresAuthentication: false)
            var actions: [Action] = []
            for packet in packets { actions.append(machine.receive(packet)) }
            let decisive = actions.filter { $0 != .needMore }
            let head = try #require(machine.receivedHead)
            #expect(decisive == [.authorise(try Authority("a.test:443"), head)])
            #expect(machine.authorised() == .dial(try Authority("a.test:443")))
            let response = ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n")
            let early = ByteBuffer(string: "early!")
            #expect(
                machine.dialSucceeded() == .establish(response: response, early: early, inputClosed: false))
        }
    }

    @Test(
        "a good CONNECT is accepted",
        arguments: [
            ("CONNECT a.test:443 HTTP/1.0\r\n\r\n", "a.test:443"),
            ("CONNECT A.Test.:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", "a.test:443"),
            ("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n", "[::1]:443"),
            ("CONNECT a.test:443 HTTP/1.1\r\nHost: other.test:1\r\n\r\n", "a.test:443"),
            ("CONNECT a.test:443 HTTP/1.1\r\nHost:\r\n\r\n", "a.test:443"),
            ("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n", "a.test:443"),
            ("\r\nCONNECT a.test:443 HTTP/1.1\r\nHost: a\r\n\r\n", "a.test:443"),
        ])
    func accepted(text: String, authority: String) throws {
        let (machine, action) = Self.reached(text)
        #expect(action == .authorise(try Authority(authority), try #require(machine.receivedHead)))
    }

    @Test(
        "what a proxy must refuse is refused, closes, and nothing behind it is parsed",
        arguments: [
            ("CONNECT a.test HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("CONNECT a.test:0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("CONNECT [a.test]:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("CONNECT u@a.test:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("CONNECT 0177.0.0.1:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("CONNECT 127.1:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("CONNECT a%2etest:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("CONNECT http://a.test:1/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("CONNECT a.test:1 HTTP/1.1\r\n\r\n", 400),
            ("CONNECT a.test:1 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
            ("CONNECT a.test:1 HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            ("CONNECT a.test:1 HTTP/1.1\r\nHost: a:0\r\n\r\n", 400),
            ("CONNECT a.test:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 400),
            ("CONNECT a.test:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (
                "CONNECT a.test:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
                400
            ),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            ("CONNECT a.test:1 HTTP/1.1\nHost: a\n\n", 400),
            ("CONNECT a.test:1 HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            ("\u{16}\u{3}\u{1}", 400), ("\u{5}\u{1}\u{0}", 400), ("SSH-2.0-x\r\n", 400),
            ("CONNECT a.test:1 HTTP/2.0\r\n\r\n", 505), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            ("GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 501),
            ("POST WS://a.test/ HTTP/1.0\r\n\r\n", 501),
            ("GET ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 501),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("GET /http://x HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("GET a.test:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("CONNECT " + String(repeating: "a", count: 20_000), 414),
            ("CONNECT a.test:1 HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 20_000), 431),
            ("CONNECT a.test:1 HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 101), 431),
        ] as [(String, Int)])
    func refused(text: String, status: Int) throws {
        var (machine, action) = Self.reached(text)
        #expect(Self.status(action) == status)
        let head = try Self.response(action)
        if status == 405 { #expect(head.response.headerFields[.allow] == "CONNECT") }
        guard case .reject(_, _, then: .close) = action else {
            Issue.record("kept alive")
            return
        }
        #expect(machine.receive(ByteBuffer(string: Self.connect)) == .needMore)
        #expect(machine.receiveEOF() == .close)
    }

    @Test("an answer to HEAD has no body") func head() {
        let (_, action) = Self.reached("HEAD ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n")
        guard case .reject(let response, _, _) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(response.text.hasSuffix("\r\n\r\n"))
    }

    @Test(
        "with authentication, every well-formed request is authenticated before anything is said of it",
        arguments: [
            "CONNECT a.test:443 HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ])
    func authenticateFirst(text: String) throws {
        var (machine, action) = Self.reached(text, authentication: true)
        let head = try #require(machine.receivedHead)
        #expect(action == .authenticate(head))
        action = machine.authenticated()
        switch head.target {
        case "a.test:443": #expect(action == .authorise(try Authority("a.test:443"), head))
        case "http://a/": #expect(action == .authorise(try Authority("a:80"), head))
        default: #expect(Self.status(action) == 405)
        }
    }

    @Test("a 407 carries its challenges one per line, and the connection carries the next try")
    func challenge() throws {
        var (machine, _) = Self.reached(Self.connect, authentication: true)
        let action = machine.authenticationFailed(challenges: ["Negotiate", "Basic realm=\"x\""])
        let response = try Self.response(action)
        #expect(response.response.status.code == 407)
        #expect(
            response.response.headerFields[values: .proxyAuthenticate] == ["Negotiate", "Basic realm=\"x\""])
        guard case .reject(_, _, then: .keepAlive) = action else {
            Issue.record("closed")
            return
        }
        let again = "CONNECT a.test:443 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic x\r\n\r\n"
        guard case .authenticate(let head) = machine.receive(ByteBuffer(string: again)) else {
            Issue.record("no second try")
            return
        }
        #expect(head.fields[.proxyAuthorization] == "Basic x")
        guard case .authorise = machine.authenticated() else {
            Issue.record("not authorised")
            return
        }
    }

    @Test(
        "a 407 closes where the next bytes might not be a request",
        arguments: [
            (connect + "GET http://smuggled/ HTTP/1.1\r\n\r\n", true),
            ("CONNECT a.test:443 HTTP/1.0\r\n\r\n", true),
            ("CONNECT a.test:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true),
            ("POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", true),
            ("CONNECT a.test:443 HTTP/1.0\r\nProxy-Connection: Keep-Alive\r\n\r\n", false),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", false),
        ])
    func challengeCloses(text: String, closes: Bool) throws {
        var (machine, _) = Self.reached(text, authentication: true)
        let action = machine.authenticationFailed(challenges: ["Basic realm=\"x\""])
        _ = try Self.response(action)
        guard case .reject(_, _, let after) = action else { return }
        #expect((after == .close) == closes)
        if closes { #expect(machine.receive(ByteBuffer(string: Self.connect)) == .needMore) }
    }

    @Test("guessing is bounded") func guessing() {
        var machine = ConnectServerMachine(requiresAuthentication: true)
        var tries = 0
        while case .authenticate = machine.receive(ByteBuffer(string: Self.connect)), tries < 100 {
            _ = machine.authenticationFailed(challenges: ["Basic realm=\"x\""])
            tries += 1
        }
        #expect(tries == 17)
    }

    @Test("early bytes beyond the bound pause reading, and none is lost") func earlyBound() throws {
        var machine = ConnectServerMachine(requiresAuthentication: true, maxEarlyBytes: 4)
        _ = machine.receive(ByteBuffer(string: Self.connect + "ab"))
        #expect(machine.receive(ByteBuffer(string: "cd")) == .needMore)
        #expect(machine.receive(ByteBuffer(string: "e")) == .pauseReading)
        _ = machine.authenticated()
        #expect(machine.receive(ByteBuffer(string: "f")) == .pauseReading)
        _ = machine.authorised()
        #expect(machine.receive(ByteBuffer(string: "g")) == .pauseReading)
        guard case .establish(_, let early, inputClosed: false) = machine.dialSucceeded() else {
            Issue.record("no tunnel")
            return
        }
        #expect(early.text == "abcdefg")
    }

    @Test("a client that closes its side while we dial still gets its tunnel") func halfClose() {
        var (machine, _) = Self.reached(Self.connect, authentication: true)
        #expect(machine.receiveEOF() == .needMore)
        _ = machine.authenticated()
        #expect(machine.receiveEOF() == .needMore)
        _ = machine.authorised()
        #expect(machine.receiveEOF() == .needMore)
        guard case .establish(_, _, inputClosed: true) = machine.dialSucceeded() else {
            Issue.record("the close was forgotten")
            return
        }
    }

    @Test("a closed client that must authenticate gets a 407 that closes") func halfCloseChallenge() {
        var (machine, _) = Self.reached(Self.connect, authentication: true)
        _ = machine.receiveEOF()
        guard case .reject(_, _, then: .close) = machine.authenticationFailed(challenges: ["Basic"]) else {
            Issue.record("kept alive for nobody")
            return
        }
    }

    @Test("end of file and the deadline: silence closes, half a head is answered") func endOfHead() {
        var silent = ConnectServerMachine(requiresAuthentication: false)
        #expect(silent.headDeadlineExpired() == .close)
        var gone = ConnectServerMachine(requiresAuthentication: false)
        #expect(gone.receiveEOF() == .close)
        var (slow, _) = Self.reached("CONN")
        #expect(Self.status(slow.headDeadlineExpired()) == 408)
        var (cut, _) = Self.reached("CONN")
        #expect(Self.status(cut.receiveEOF()) == 400)
        var (dialing, _) = Self.reached(Self.connect)
        #expect(dialing.headDeadlineExpired() == .needMore)
    }

    @Test("a denied or undialable destination is answered and closes", arguments: [true, false])
    func denied(atPolicy: Bool) throws {
        var (machine, _) = Self.reached(Self.connect + "early")
        var action: Action
        if atPolicy {
            action = machine.denied(Self.denial)
        } else {
            _ = machine.authorised()
            action = machine.dialFailed(Self.denial)
        }
        _ = try Self.response(action)
        guard case .reject(_, Self.denial, then: .close) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(machine.receive(ByteBuffer(string: Self.connect)) == .needMore)
    }

    @Test("verdicts for a request that is no longer under way close, in every state") func lateVerdicts() {
        let verdicts: [(String, (inout ConnectServerMachine) -> Action)] = [
            ("authenticated", { $0.authenticated() }),
            ("failed", { $0.authenticationFailed(challenges: ["Basic"]) }),
            ("authorised", { $0.authorised() }), ("denied", { $0.denied(Self.denial) }),
            ("dialled", { $0.dialSucceeded() }), ("undialled", { $0.dialFailed(Self.denial) }),
        ]
        let states: [(Set<String>, () -> ConnectServerMachine)] = [
            ([], { ConnectServerMachine(requiresAuthentication: true) }),
            (["authenticated", "failed", "denied"], { Self.reached(Self.connect, authentication: true).0 }),
            (["authorised", "denied"], { Self.reached(Self.connect).0 }),
            (
                ["dialled", "undialled"],
                {
                    var m = Self.reached(Self.connect).0; _ = m.authorised(); return m
                }
            ),
            (
                [],
                {
                    var m = Self.reached(Self.connect).0; _ = m.authorised(); _ = m.dialSucceeded(); return m
                }
            ),
            ([], { Self.reached("\u{16}").0 }),
        ]
        for (legal, make) in states {
            for (name, verdict) in verdicts {
                var machine = make()
                #expect((verdict(&machine) == .close) == !legal.contains(name))
            }
        }
    }

    @Test("no rejection lets a peer write into our log or our response") func injection() throws {
        let (_, action) = Self.reached("CONNECT a\u{1b}[31m:1 HTTP/1.1\r\n\r\n")
        guard case .reject(_, let rejection, _) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(rejection.reason.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
        #expect(rejection.text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
    }
}
