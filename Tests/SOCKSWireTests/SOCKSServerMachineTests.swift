import HTTPWire
import NIOCore
import Testing

@testable import SOCKSWire

@Suite("Serving SOCKS") struct SOCKSServerMachineTests {
    typealias Machine = SOCKSServerMachine

    /// The whole of what came out.
    private struct Outcome: Equatable {
        var sent: [UInt8] = []
        var credentials: SOCKSCredentials?
        var target: Authority?
        var refusal: SOCKSRefusal?
        var early: [UInt8]?
    }

    /// Says yes to everything, and lets the dial succeed behind the last packet.
    private static func run(_ packets: [ByteBuffer], users: Bool = false) -> Outcome {
        var machine = Machine(requiresAuthentication: users)
        var outcome = Outcome()
        var isDialing = false
        for packet in packets {
            var action = machine.receive(packet)
            loop: while true {
                switch action {
                case .send(let bytes):
                    outcome.sent += bytes.readableBytesView
                    action = machine.receive(ByteBuffer())
                case .authenticate(let credentials):
                    outcome.credentials = credentials
                    action = machine.authenticated()
                case .authorise(let target):
                    outcome.target = target
                    action = machine.authorised()
                case .dial:
                    isDialing = true
                    break loop
                case .reject(let response, let refusal):
                    outcome.sent += response.readableBytesView
                    outcome.refusal = refusal
                    break loop
                case .needMore, .pauseReading, .establish, .close: break loop
                }
            }
        }
        if isDialing, case .establish(let response, let early, _) = machine.dialSucceeded() {
            outcome.sent += response.readableBytesView
            outcome.early = Array(early.readableBytesView)
        }
        return outcome
    }

    private static let success: [UInt8] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    private static let request = octets([5, 1, 0, 3], counted("a.test"), [1, 187])

    @Test("SOCKS 5 without users: method, request, tunnel, early bytes held, however it is cut")
    func open() throws {
        for packets in cuts(octets([5, 2, 2, 0], Self.request, "early".utf8)) {
            let outcome = Self.run(packets)
            #expect(outcome.sent == [5, 0] + Self.success)
            #expect(outcome.target == (try Authority("a.test:443")))
            #expect(outcome.early == Array("early".utf8))
        }
    }

    @Test("SOCKS 5 with users: the password is asked for and verified first, however it is cut")
    func users() throws {
        let login = octets([1], counted("alice"), counted("secret"))
        for packets in cuts(octets([5, 2, 0, 2], login, Self.request, "early".utf8)) {
            let outcome = Self.run(packets, users: true)
            #expect(outcome.sent == [5, 2, 1, 0] + Self.success)
            #expect(outcome.credentials == SOCKSCredentials(user: "alice", password: "secret"))
            #expect(outcome.early == Array("early".utf8))
        }
    }

    @Test("a client with nothing but a password is let in where nobody asks for one, and it is not looked at")
    func needless() {
        let login = octets([1], counted("\u{e9}"), [1, 0xFF])
        for packets in cuts(octets([5, 1, 2], login, Self.request)) {
            let outcome = Self.run(packets)
            #expect(outcome.sent == [5, 2, 1, 0] + Self.success)
            #expect(outcome.credentials == nil)
        }
    }

    @Test(
        "SOCKS 4 and 4a, however it is cut",
        arguments: [
            (octets([4, 1, 0, 80, 127, 0, 0, 1], "user".utf8, [0]), "127.0.0.1:80"),
            (octets([4, 1, 1, 187, 0, 0, 0, 1, 0], "A.Test.".utf8, [0]), "a.test:443"),
            (octets([4, 1, 1, 187, 0, 0, 0, 255], "u".utf8, [0], "192.0.2.1".utf8, [0]), "192.0.2.1:443"),
        ] as [([UInt8], String)])
    func socks4(bytes: [UInt8], target: String) throws {
        for packets in cuts(octets(bytes, "early".utf8)) {
            let outcome = Self.run(packets)
            #expect(outcome.sent == [0, 90, 0, 0, 0, 0, 0, 0])
            #expect(outcome.target == (try Authority(target)))
            #expect(outcome.early == Array("early".utf8))
        }
    }

    @Test(
        "targets are read and normalised before any rule",
        arguments: [
            (octets([1, 192, 0, 2, 1], [1, 187]), "192.0.2.1:443"),
            (octets([4], Array(repeating: 0, count: 15), [1, 0, 80]), "[::1]:80"),
            (octets([3], counted("WWW.Example.COM."), [0, 80]), "www.example.com:80"),
            (octets([3], counted("127.0.0.1"), [0, 80]), "127.0.0.1:80"),
            (octets([3], counted("::1"), [0, 80]), "[::1]:80"),
        ] as [([UInt8], String)])
    func targets(address: [UInt8], target: String) throws {
        let outcome = Self.run([ByteBuffer(bytes: octets([5, 1, 0, 5, 1, 0], address))])
        #expect(outcome.target == (try Authority(target)))
    }

    @Test(
        "what must be refused is, with the reply and the status, however it is cut",
        arguments: [
            // Nothing offered that is spoken here.
            ([5, 0], false, [5, 255], 400), ([5, 1, 1], false, [5, 255], 400),
            ([5, 1, 0], true, [5, 255], 407),
            // Commands: BIND, UDP ASSOCIATE, unknown.
            (octets([5, 1, 0, 5, 2, 0, 1, 1, 2, 3, 4, 0, 80]), false, [5, 0, 5, 7, 0, 1], 405),
            (octets([5, 1, 0, 5, 3, 0, 1, 1, 2, 3, 4, 0, 80]), false, [5, 0, 5, 7, 0, 1], 405),
            ([4, 2, 0, 80, 1, 2, 3, 4, 0], false, [0, 91, 0, 0, 0, 0], 405),
            // Addresses.
            (octets([5, 1, 0, 5, 1, 0, 2]), false, [5, 0, 5, 8, 0, 1], 400),
            (octets([5, 1, 0, 5, 1, 0, 1, 1, 2, 3, 4, 0, 0]), false, [5, 0, 5, 1, 0, 1], 400),
            (octets([5, 1, 0, 5, 1, 0, 3], counted("127.1"), [0, 80]), false, [5, 0, 5, 1, 0, 1], 400),
            (
                octets([5, 1, 0, 5, 1, 0, 3], counted("0177.0.0.1"), [0, 80]), false, [5, 0, 5, 1, 0, 1], 400
            ),
            (
                octets([5, 1, 0, 5, 1, 0, 3], counted("a.test\r\nX: y"), [0, 80]), false, [5, 0, 5, 1, 0, 1],
                400
            ),
            (octets([5, 1, 0, 5, 1, 0, 3], counted("a@b"), [0, 80]), false, [5, 0, 5, 1, 0, 1], 400),
            ([5, 1, 0, 5, 1, 0, 3, 0, 0, 80], false, [5, 0, 5, 1, 0, 1], 400),
            ([5, 1, 0, 5, 1, 0, 3, 2, 0xFF, 0xFE, 0, 80], false, [5, 0, 5, 1, 0, 1], 400),
            (octets([4, 1, 0, 80, 0, 0, 0, 1, 0], "a b".utf8, [0]), false, [0, 91, 0, 0, 0, 0], 400),
            (octets([4, 1, 0, 80, 0, 0, 0, 1, 0, 0]), false, [0, 91, 0, 0, 0, 0], 400),
            ([4, 1, 0, 0, 1, 2, 3, 4, 0], false, [0, 91, 0, 0, 0, 0], 400),
            // SOCKS 4 has no password.
            ([4, 1, 0, 80, 127, 0, 0, 1, 0], true, [0, 91, 0, 0, 0, 0], 407),
            // Other versions in the middle.
            ([5, 1, 0, 4], false, [5, 0, 5, 1, 0, 1], 400), ([5, 1, 2, 5], true, [5, 2, 1, 1], 407),
            ([5, 1, 2, 1, 1, 0xFF, 1, 0x61], true, [5, 2, 1, 1], 407), ([9], false, [], 400),
        ] as [([UInt8], Bool, [UInt8], Int)])
    func refused(bytes: [UInt8], users: Bool, answer: [UInt8], status: Int) {
        for packets in cuts(bytes) {
            let outcome = Self.run(packets, users: users)
            #expect(outcome.refusal?.status == status)
            #expect(outcome.sent.starts(with: answer), "\(outcome.sent)")
            #expect(outcome.target == nil)
            #expect(outcome.refusal?.reason.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } == true)
        }
    }

    @Test("a text of SOCKS 4 that does not end is bounded")
    func endless() {
        let outcome = Self.run([
            ByteBuffer(bytes: octets([4, 1, 0, 80, 1, 2, 3, 4], Array(repeating: 65, count: 256)))
        ])
        #expect(outcome.refusal?.status == 400)
    }

    @Test("wrong credentials are told and end the connection; nothing behind them is read")
    func wrong() {
        var machine = Machine(requiresAuthentication: true)
        _ = machine.receive(ByteBuffer(bytes: [5, 1, 2]))
        _ = machine.receive(ByteBuffer(bytes: octets([1], counted("a"), counted("b"), Self.request)))
        guard case .reject(let response, let refusal) = machine.authenticationFailed() else {
            Issue.record("no refusal")
            return
        }
        #expect(Array(response.readableBytesView) == [1, 1])
        #expect(refusal.status == 407)
        #expect(machine.receive(ByteBuffer(bytes: Self.request)) == .needMore)
        #expect(machine.receiveEOF() == .close)
    }

    @Test("a refusal before the credentials were looked at is the answer to them")
    func refusedEarly() {
        var machine = Machine(requiresAuthentication: true)
        _ = machine.receive(ByteBuffer(bytes: [5, 1, 2]))
        _ = machine.receive(ByteBuffer(bytes: octets([1], counted("a"), counted("b"))))
        let denial = SOCKSRefusal(.notAllowed, status: 429, reason: "too many")
        #expect(machine.denied(denial) == .reject(response: ByteBuffer(bytes: [1, 1]), denial))
        #expect(machine.authenticated() == .close)
    }

    @Test("the policy's no and a failed dial become replies; late news closes")
    func late() throws {
        let denial = SOCKSRefusal(.notAllowed, status: 403, reason: "rule")
        var machine = Machine(requiresAuthentication: false)
        _ = machine.receive(ByteBuffer(bytes: [5, 1, 0]))
        #expect(machine.receive(ByteBuffer(bytes: Self.request)) == .authorise(try Authority("a.test:443")))
        var denied = machine
        #expect(
            denied.denied(denial)
                == .reject(response: ByteBuffer(bytes: [5, 2, 0, 1, 0, 0, 0, 0, 0, 0]), denial))
        #expect(denied.dialSucceeded() == .close)
        _ = machine.authorised()
        let failure = SOCKSRefusal(.connectionRefused, status: 502, reason: "refused")
        var failed = machine
        #expect(
            failed.dialFailed(failure)
                == .reject(response: ByteBuffer(bytes: [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]), failure))
        #expect(failed.authorised() == .close)
        #expect(machine.receiveEOF() == .needMore)
        guard case .establish(_, _, inputClosed: true) = machine.dialSucceeded() else {
            Issue.record("a half-closed client still gets its tunnel")
            return
        }
    }

    @Test("early bytes are bounded") func early() {
        var machine = Machine(requiresAuthentication: false, maxEarlyBytes: 4)
        _ = machine.receive(ByteBuffer(bytes: [5, 1, 0]))
        _ = machine.receive(ByteBuffer(bytes: Self.request))
        _ = machine.authorised()
        #expect(machine.receive(ByteBuffer(bytes: [1, 2, 3, 4])) == .needMore)
        #expect(machine.receive(ByteBuffer(bytes: [5])) == .pauseReading)
    }

    @Test("an early end and a slow client: silence before the request, a reply behind its start")
    func ends() {
        var silent = Machine(requiresAuthentication: false)
        #expect(silent.receiveEOF() == .close)
        var slow = Machine(requiresAuthentication: false)
        _ = slow.receive(ByteBuffer(bytes: [5]))
        let refusal = SOCKSRefusal(.generalFailure, status: 408, reason: "slow SOCKS request")
        #expect(slow.deadlineExpired() == .reject(response: ByteBuffer(), refusal))
        var cut = Machine(requiresAuthentication: false)
        _ = cut.receive(ByteBuffer(bytes: [5, 1, 0]))
        _ = cut.receive(ByteBuffer(bytes: [5, 1]))
        guard case .reject(let response, _) = cut.receiveEOF() else {
            Issue.record("no refusal")
            return
        }
        #expect(response.readableBytesView.prefix(2).elementsEqual([5, 1]))
        var dialing = Machine(requiresAuthentication: false)
        _ = dialing.receive(ByteBuffer(bytes: [5, 1, 0]))
        _ = dialing.receive(ByteBuffer(bytes: Self.request))
        #expect(dialing.deadlineExpired() == .needMore)
    }

    @Test(
        "the two machines understand each other",
        arguments: ["a.test:443", "192.0.2.1:80", "[2001:db8::1]:1"])
    func together(target: String) throws {
        for (version, users) in [
            (SOCKSClientMachine.Version.socks5, false), (.socks5, true), (.socks4a, false),
        ] {
            let target = try Authority(target)
            let credentials = users ? SOCKSCredentials(user: "alice", password: "secret") : nil
            var client = SOCKSClientMachine(version, target: target, credentials: credentials)
            var server = Machine(requiresAuthentication: users)
            var toServer = client.start()
            var seen: Authority?
            while case .send(let bytes) = toServer {
                var answer = ByteBuffer()
                var action = server.receive(bytes)
                while action != .needMore {
                    switch action {
                    case .send(let bytes):
                        answer.writeImmutableBuffer(bytes)
                        action = server.receive(ByteBuffer())
                    case .authenticate(let given):
                        #expect(given == credentials)
                        action = server.authenticated()
                    case .authorise(let authority):
                        seen = authority
                        action = server.authorised()
                    case .dial: action = server.dialSucceeded()
                    case .establish(let response, _, _):
                        answer.writeImmutableBuffer(response)
                        action = .needMore
                    case .needMore, .pauseReading, .reject, .close:
                        Issue.record("\(action)")
                        return
                    }
                }
                toServer = client.receive(answer)
            }
            #expect(toServer == .established(leftover: ByteBuffer()))
            #expect(seen == target)
        }
    }
}
