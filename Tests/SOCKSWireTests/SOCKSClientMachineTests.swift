import HTTPWire
import NIOCore
import Testing

@testable import SOCKSWire

@Suite("Asking a SOCKS server") struct SOCKSClientMachineTests {
    /// What the machine wrote, and how it ended; what it says "send" to is followed by another look at what is there.
    private static func run(
        _ machine: SOCKSClientMachine, _ packets: [ByteBuffer]
    ) -> (sent: [[UInt8]], end: SOCKSClientMachine.Action) {
        var machine = machine
        var sent: [[UInt8]] = []
        var leftover = ByteBuffer()
        var action = machine.start()
        var packets = packets[...]
        while true {
            switch action {
            case .send(let bytes):
                sent.append(Array(bytes.readableBytesView))
                action = machine.receive(ByteBuffer())
            case .needMore:
                guard let packet = packets.popFirst() else { return (sent, machine.receiveEOF()) }
                action = machine.receive(packet)
            case .established(let rest):
                leftover = rest
                for packet in packets { leftover.writeImmutableBuffer(packet) }
                return (sent, .established(leftover: leftover))
            case .failed: return (sent, action)
            }
        }
    }

    private static let name = Result { try Authority("a.test:443") }
    private static let alice = SOCKSCredentials(user: "alice", password: "secret")

    @Test("SOCKS 5: greeting, request, tunnel, and the target's first bytes, however the answers are cut")
    func socks5() throws {
        let target = try Self.name.get()
        let answers = octets([5, 0], [5, 0, 0, 1, 127, 0, 0, 1, 4, 56], "hi".utf8)
        for packets in cuts(answers) {
            let (sent, end) = Self.run(SOCKSClientMachine(.socks5, target: target), packets)
            #expect(sent == [[5, 1, 0], octets([5, 1, 0, 3], counted("a.test"), [1, 187])])
            #expect(end == .established(leftover: ByteBuffer(string: "hi")))
        }
    }

    @Test("SOCKS 5 with a user: the password is sent once the server chose it, however the answers are cut")
    func password() throws {
        let target = try Self.name.get()
        let answers = octets([5, 2], [1, 0], [5, 0, 0, 3], counted("x"), [0, 0], "hi".utf8)
        for packets in cuts(answers) {
            let machine = SOCKSClientMachine(.socks5, target: target, credentials: Self.alice)
            let (sent, end) = Self.run(machine, packets)
            #expect(
                sent == [
                    [5, 2, 0, 2], octets([1], counted("alice"), counted("secret")),
                    octets([5, 1, 0, 3], counted("a.test"), [1, 187]),
                ])
            #expect(end == .established(leftover: ByteBuffer(string: "hi")))
        }
    }

    @Test("a server that asks for no password is shown none")
    func notAsked() throws {
        let machine = SOCKSClientMachine(.socks5, target: try Self.name.get(), credentials: Self.alice)
        let (sent, _) = Self.run(machine, [ByteBuffer(bytes: [5, 0])])
        #expect(sent.count == 2)
        #expect(!sent.joined().contains { $0 == UInt8(ascii: "l") })
    }

    @Test(
        "addresses go as addresses",
        arguments: [
            ("127.0.0.1:80", [5, 1, 0, 1, 127, 0, 0, 1, 0, 80]),
            (
                "[2001:db8::1]:443",
                [5, 1, 0, 4, 0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 187]
            ),
        ] as [(String, [UInt8])])
    func addresses(target: String, request: [UInt8]) throws {
        let machine = SOCKSClientMachine(.socks5, target: try Authority(target))
        let (sent, _) = Self.run(machine, [ByteBuffer(bytes: [5, 0])])
        #expect(sent.last == request)
    }

    @Test(
        "SOCKS 4a: one message, names behind 0.0.0.1, addresses in their place",
        arguments: [
            ("a.test:443", nil, octets([4, 1, 1, 187, 0, 0, 0, 1, 0], "a.test".utf8, [0])),
            ("a.test:443", "al", octets([4, 1, 1, 187, 0, 0, 0, 1], "al".utf8, [0], "a.test".utf8, [0])),
            ("127.0.0.1:80", "al", octets([4, 1, 0, 80, 127, 0, 0, 1], "al".utf8, [0])),
            ("0.0.0.9:80", nil, octets([4, 1, 0, 80, 0, 0, 0, 1, 0], "0.0.0.9".utf8, [0])),
            ("[::1]:80", nil, octets([4, 1, 0, 80, 0, 0, 0, 1, 0], "::1".utf8, [0])),
        ] as [(String, String?, [UInt8])])
    func socks4a(target: String, user: String?, request: [UInt8]) throws {
        let credentials = user.map { SOCKSCredentials(user: $0, password: "") }
        for packets in cuts(octets([0, 90, 1, 2, 3, 4, 5, 6], "hi".utf8)) {
            let machine = SOCKSClientMachine(
                .socks4a, target: try Authority(target), credentials: credentials)
            let (sent, end) = Self.run(machine, packets)
            #expect(sent == [request])
            #expect(end == .established(leftover: ByteBuffer(string: "hi")))
        }
    }

    @Test(
        "what goes wrong is told for what it is, however the answers are cut",
        arguments: [
            ([], .closed(afterBytes: 0)), ([5], .closed(afterBytes: 1)),
            (Array("HTTP/1.0 400 Bad".utf8), .notSOCKS(0x48)), ([4, 0], .notSOCKS(4)),
            ([5, 0xFF], .noAcceptableMethod(offeredPassword: true)), ([5, 1], .methodNotOffered(1)),
            ([5, 2, 1, 1], .credentialsRejected), ([5, 2, 5, 9], .credentialsRejected),
            ([5, 2], .closed(afterBytes: 2)), ([5, 2, 7, 0], .notSOCKS(7)),
            ([5, 0, 5, 1], .closed(afterBytes: 4)), ([5, 0, 5, 1, 0], .refused(.generalFailure)),
            ([5, 0, 5, 2, 0, 1], .refused(.notAllowed)), ([5, 0, 5, 3, 0], .refused(.networkUnreachable)),
            ([5, 0, 5, 4, 0], .refused(.hostUnreachable)), ([5, 0, 5, 5, 0], .refused(.connectionRefused)),
            ([5, 0, 5, 6, 0], .refused(.timeToLiveExpired)),
            ([5, 0, 5, 7, 0], .refused(.commandNotSupported)),
            ([5, 0, 5, 8, 0], .refused(.addressTypeNotSupported)), ([5, 0, 5, 99, 0], .refusedWithCode(99)),
            ([5, 0, 5, 0, 0, 9], .malformedReply), ([5, 0, 5, 0, 0, 3, 250, 1], .closed(afterBytes: 8)),
            ([5, 0, 0, 90], .notSOCKS(0)),
        ] as [([UInt8], SOCKSFailure)])
    func failures(answers: [UInt8], failure: SOCKSFailure) throws {
        for packets in cuts(answers) {
            let machine = SOCKSClientMachine(.socks5, target: try Self.name.get(), credentials: Self.alice)
            #expect(Self.run(machine, packets).end == .failed(failure))
        }
        #expect(!failure.description.contains("secret"))
    }

    @Test(
        "SOCKS 4's noes",
        arguments: [
            ([0, 91, 0, 0, 0, 0, 0, 0], .refusedWithCode(91)), ([4, 90, 0, 0, 0, 0, 0, 0], .notSOCKS(4)),
            ([0, 90, 0], .closed(afterBytes: 3)),
        ] as [([UInt8], SOCKSFailure)])
    func socks4Failures(answers: [UInt8], failure: SOCKSFailure) throws {
        for packets in cuts(answers) {
            let machine = SOCKSClientMachine(.socks4a, target: try Self.name.get())
            #expect(Self.run(machine, packets).end == .failed(failure))
        }
    }

    @Test(
        "what the protocol cannot carry is not sent",
        arguments: [
            (.socks5, "", "x"), (.socks5, String(repeating: "a", count: 256), "x"),
            (.socks5, "a", String(repeating: "a", count: 256)), (.socks4a, "alice", "secret"),
            (.socks4a, "al\0ice", ""),
        ] as [(SOCKSClientMachine.Version, String, String)])
    func unsendable(version: SOCKSClientMachine.Version, user: String, password: String) throws {
        let credentials = SOCKSCredentials(user: user, password: password)
        var machine = SOCKSClientMachine(version, target: try Self.name.get(), credentials: credentials)
        #expect(machine.start() == .failed(.credentialsUnsendable))
    }

    @Test("a password is in no description") func redacted() {
        #expect("\(Self.alice)" == "alice:<redacted>")
        var dumped = ""
        dump(Self.alice, to: &dumped)
        #expect(!dumped.contains("secret"))
    }
}
