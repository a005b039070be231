import CulvertTunnel
import Foundation
import HTTPWire
import Logging
import NIOCore
import NIOPosix
import ProxyAuth
import ProxyPolicy
import TestSupport
import Testing

@testable import CulvertProxy

/// Sends the parts with a pause between them, half-closes if asked, and returns all that comes back.
private func ask(_ proxy: Authority, _ parts: [String], finish: Bool = false) async throws -> String {
    try await onThread {
        let client = try BlockingSocket.connected(toPort: Int(proxy.port))
        defer { client.close() }
        for (index, part) in parts.enumerated() {
            if index > 0 { usleep(50_000) }
            try client.send(part)
        }
        if finish { client.finish() }
        return try client.receive()
    }
}

private func connect(_ target: String, _ fields: String = "") -> String {
    "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\(fields)\r\n"
}

/// A tunnel to a listener under some name: what either side says reaches the other.
private func exchange(through proxy: Authority, to target: String, at listener: BlockingSocket) async throws {
    try await onThread {
        let client = try BlockingSocket.connected(toPort: Int(proxy.port))
        defer { client.close() }
        try client.send(connect(target) + "early")
        let origin = try listener.accepted()
        defer { origin.close() }
        #expect(try origin.receive(5) == "early")
        try origin.send("hello")
        origin.finish()
        let answer = try client.receive()
        #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("\r\n\r\nhello"), "\(answer)")
    }
}

/// A proxy with this relay, a listener behind it and a client before it, which is the body's to close.
///
/// - Returns: so many lines of the log.
func withSockets(
    _ mode: RelayMode, lines: Int = 1,
    _ body: @escaping @Sendable (_ listener: BlockingSocket, _ client: BlockingSocket) throws -> Void
) async throws -> [AccessLogEntry] {
    try await withProxy {
        $0.relay = mode
    } _: { proxy, log in
        try await onThread {
            let listener = try BlockingSocket.listening()
            defer { listener.close() }
            try body(listener, try BlockingSocket.connected(toPort: Int(proxy.port)))
        }
        return try await log.first(lines)
    }
}

/// Without the time that a limit still runs, which passes meanwhile.
private func timeless(_ answer: String) -> String {
    answer.replacing(/(Retry-After: |try again in )[0-9]+/) { "\($0.1)*" }
}

/// What does not depend on the moment or on the client's port.
private struct Told: Equatable, CustomStringConvertible {
    let description: String

    init(_ entry: AccessLogEntry, without varying: String = " ") {
        let text = """
            \(entry.user ?? "-") \(entry.method) \(entry.target) \(entry.status) \(entry.isAllowed) \
            \(entry.rule ?? "-") \
            \(entry.wouldBeDenied) \(entry.limit ?? "-") \(entry.reason) \(entry.address ?? "-") \
            \(entry.parent ?? "-") \(entry.bytesUp) \(entry.bytesDown) \(entry.closedBy)
            """
        self.description = varying == " " ? text : text.replacingOccurrences(of: varying, with: "*")
    }
}

@Suite("Where a connection begins, in front of SwiftNIO or in it, nobody can tell", .timeLimit(.minutes(5)))
struct FrontTests {
    /// What a client gets and the log tells, from each of the fronts in turn.
    private func compare(
        _ parts: [String], finish: Bool = false, requests: Int = 1,
        _ configure: @escaping @Sendable (inout ProxyConfiguration) -> Void = { _ in }
    ) async throws -> (answer: String, entries: [AccessLogEntry]) {
        var results: [(answer: String, entries: [AccessLogEntry])] = []
        for mode in relayModes {
            let result = try await withProxy {
                $0.relay = mode
                $0.forwarding.pseudonym = "proxy"
                configure(&$0)
            } _: { proxy, log in
                var answer = ""
                for _ in 0..<requests { answer += try await ask(proxy, parts, finish: finish) }
                return (answer: answer, entries: try await log.first(requests))
            }
            results.append(result)
        }
        let first = try #require(results.first)
        for result in results.dropFirst() {
            #expect(timeless(result.answer) == timeless(first.answer))
            #expect(result.entries.map { Told($0) } == first.entries.map { Told($0) })
        }
        return first
    }

    @Test(
        "refusals are the same, octet for octet",
        arguments: [
            (connect("127.0.0.1:1"), 502), (connect("127.0.0.1:9"), 403), (connect("127.0.0.1:0"), 400),
            (connect("127.1:443"), 400), (connect("user@127.0.0.1:80"), 400), (connect("127.0.0.1"), 400),
            ("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: other\r\n\r\n", 502),
            ("CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", 400), ("CONNECT 127.0.0.1:1 HTTP/1.0\r\n\r\n", 502),
            ("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost : a\r\n\r\n", 400), ("CONNECT\r\n\r\n", 400),
            (connect("127.0.0.1:1", "X: \(String(repeating: "x", count: 70_000))\r\n"), 431),
            ("CUT 127.0.0.1:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405), ("\0\0\0\r\n\r\n", 400),
            (connect("127.0.0.1:1") + "early", 502), (connect("127.0.0.1:9") + connect("127.0.0.1:1"), 403),
        ])
    func refusals(request: String, status: Int) async throws {
        let result = try await self.compare([request], finish: true) {
            $0.policy.rules = [AccessRule(.deny, name: "no-discard") { $0.ports = [9...9] }]
        }
        #expect(result.answer.hasPrefix("HTTP/1.1 \(status) "), "\(result.answer)")
        #expect(result.entries.map(\.status) == [status])
        #expect(result.answer.contains("Proxy-Status: proxy; "), "\(result.answer)")
    }

    @Test("the guard and report mode say the same")
    func policies() async throws {
        let guarded = try await self.compare([connect("127.0.0.1:1")], finish: true) { $0.guardMode = .on }
        #expect(guarded.entries.map(\.status) == [403])
        let reported = try await self.compare([connect("127.0.0.1:1")], finish: true) {
            $0.policy.rules = [AccessRule(.deny, name: "all")]
            $0.policy.mode = .report
        }
        #expect(reported.entries.map(\.status) == [502])
    }

    @Test(
        "who asks is known, or refused, the same",
        arguments: [
            ("", 407, nil), ("Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n", 502, "alice"),
            ("Proxy-Authorization: Basic YWxpY2U6U2VjcmV0\r\n", 407, nil),
            ("Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\nProxy-Authorization: Basic YQ==\r\n", 407, nil),
            ("Proxy-Authorization: Basic Ym9iOnNlY3JldA==\r\n", 403, "bob"),
            ("Proxy-Authorization: Bearer key\r\n", 502, "carol"),
            ("Proxy-Authorization: Bearer kex\r\n", 407, nil),
            ("Proxy-Authorization: Digest a\r\n", 407, nil),
        ])
    func users(fields: String, status: Int, user: String?) async throws {
        let key = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
        let tokens = try TokenTable(parsing: "carol:\(key)")
        let result = try await self.compare([connect("127.0.0.1:1", fields)], finish: true) {
            $0.users = UserTable(["alice": "secret", "bob": "secret"])
            $0.tokens = tokens
            $0.policy.rules = [AccessRule(.deny, name: "no-bob") { $0.users = ["bob"] }]
        }
        #expect(result.entries.map(\.status) == [status])
        #expect(result.entries.map(\.user) == [user])
    }

    @Test("a user's limits count where his connection begins")
    func userLimits() async throws {
        let request = connect("127.0.0.1:1", "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n")
        let result = try await self.compare([request], finish: true, requests: 3) {
            $0.users = UserTable(["alice": "secret"])
            $0.limits.perUser.requestRate = RequestRate(2, per: .hour)
        }
        #expect(result.entries.map(\.status) == [502, 502, 429])
        #expect(result.entries.map(\.limit) == [nil, nil, "user-request-rate"])
    }

    @Test(
        "a slow hash is not computed in front; once found right, its user is known there",
        .enabled(if: SystemCrypt.supports("$6$rounds=1000$probe$"), "this system's crypt has no sha-crypt"))
    func slowHashes() async throws {
        let core = ProxyCore(
            try ProxyConfiguration {
                $0.users = try UserTable(
                    parsing: "alice:$5$rounds=1000$salt$CCvcOM6b7TEJDPb37Aec/9UpOg4QhPNAxPpL9ZzjTB7")
            }, logger: Logger(label: "test"))
        let permit = try #require(core.admit(.loopback))
        defer { permit.release() }
        func tunnel(_ fields: String) -> DirectTunnel? {
            DirectTunnel(
                ByteBuffer(string: connect("127.0.0.1:1", fields)), ConnectServerMachine(core),
                ProxyRequest(client: ConnectedClient(address: .loopback, port: 1)), permit, by: core)
        }
        let right = "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n"
        #expect(core.snapshot.beginsInFront)
        #expect(tunnel(right) == nil)
        let authenticator = try #require(core.snapshot.authenticator)
        let field = try #require(AuthorizationField("Basic YWxpY2U6c2VjcmV0"))
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        #expect(try await authenticator.authenticate(field, on: loop).get() == .user("alice"))
        #expect(tunnel(right)?.request.entry.user == "alice")
        #expect(tunnel("Proxy-Authorization: Basic YWxpY2U6U2VjcmV0\r\n") == nil)
        #expect(tunnel("") == nil)
    }

    @Test("a head in pieces opens its tunnel, and what follows it is not lost", arguments: relayModes)
    func pieces(mode: RelayMode) async throws {
        for parts in [["CONN"], ["CONNECT ", " HTTP"], ["\r\n"], ["early "]] {
            let entries = try await withSockets(mode) { listener, client in
                defer { client.close() }
                var rest = connect("127.0.0.1:\(listener.port)") + "early bytes"
                for part in parts {
                    guard let cut = rest.range(of: part) else { continue }
                    try client.send(String(rest[..<cut.upperBound]))
                    rest = String(rest[cut.upperBound...])
                    usleep(50_000)
                }
                try client.send(rest)
                let origin = try listener.accepted()
                defer { origin.close() }
                #expect(try origin.receive(11) == "early bytes")
                try origin.send("hello")
                origin.finish()
                #expect(try client.receive().hasSuffix("\r\n\r\nhello"))
            }
            #expect(entries.map(\.bytesUp) == [11])
        }
    }

    @Test("a FIN that comes with the head passes, and the answer comes back", arguments: relayModes)
    func finAtOnce(mode: RelayMode) async throws {
        try await withProxy {
            $0.relay = mode
        } _: { proxy, log in
            // A few times: the FIN may be seen before the dial, during it or after it.
            for _ in 0..<20 {
                try await onThread {
                    let listener = try BlockingSocket.listening()
                    defer { listener.close() }
                    let client = try BlockingSocket.connected(toPort: Int(proxy.port))
                    defer { client.close() }
                    try client.send(connect("127.0.0.1:\(listener.port)") + "all of it")
                    client.finish()
                    let origin = try listener.accepted()
                    defer { origin.close() }
                    #expect(try origin.receive() == "all of it")
                    try origin.send("heard")
                    origin.finish()
                    #expect(try client.receive().hasSuffix("\r\n\r\nheard"))
                }
            }
            let entries = try await log.first(20)
            #expect(entries.allSatisfy { $0.bytesUp == 9 && $0.bytesDown == 5 && $0.reason == "closed" })
        }
    }

    @Test(
        "a name is dialled at its first address that the rules admit and that answers",
        arguments: [
            ["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.9", "127.0.0.1"],
        ])
    func names(addresses: [String]) async throws {
        var told: [[Told]] = []
        for mode in relayModes {
            let names = NameService(maxAge: .hours(1)) { name in
                guard name == "target.example" else { throw NameNotResolved(reason: "no such name") }
                return try addresses.map { try SocketAddress(ipAddress: $0, port: 0) }
            }
            let listener = try BlockingSocket.listening()
            defer { listener.close() }
            let port = listener.port
            let entries = try await withProxy(names: names) {
                $0.relay = mode
                $0.policy.rules = [
                    AccessRule(.deny, name: "last") {
                        $0.destinations = [IPNetwork("127.0.0.9/32")].compactMap(\.self)
                    }
                ]
            } _: { proxy, log in
                // The first time nothing is known of the name.
                for _ in 0..<3 {
                    try await exchange(through: proxy, to: "target.example:\(port)", at: listener)
                }
                // A tunnel's line is written on its own thread, soon.
                _ = try await log.first(3)
                let unknown = try await ask(proxy, [connect("unknown.example:80")], finish: true)
                #expect(unknown.hasPrefix("HTTP/1.1 502 "), "\(unknown)")
                return try await log.first(4)
            }
            #expect(entries.dropLast().allSatisfy { $0.address == "127.0.0.1:\(port)" }, "\(entries)")
            told.append(entries.map { Told($0, without: "\(port)") })
        }
        #expect(told.allSatisfy { $0 == told.first })
    }

    @Test("a name whose address is dead is asked for again", arguments: relayModes)
    func movedName(mode: RelayMode) async throws {
        let listener = try BlockingSocket.listening()
        defer { listener.close() }
        let port = listener.port
        let asked = Tally()
        // Nobody listens at the first two; the second one is known by the time it is dialled.
        let names = NameService(maxAge: .hours(1)) { _ in
            asked.add()
            let address = asked.value < 3 ? "127.0.0.\(asked.value + 4)" : "127.0.0.1"
            return [try SocketAddress(ipAddress: address, port: 0)]
        }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let target = "target.example:\(port)"
        try await withProxy(names: names) {
            $0.relay = mode
        } _: { proxy, _ in
            let first = try await ask(proxy, [connect(target)], finish: true)
            #expect(first.hasPrefix("HTTP/1.1 502 "), "\(first)")
            _ = try await names.lookUp("target.example", port: 1, on: loop).get()
            let second = try await ask(proxy, [connect(target)], finish: true)
            #expect(second.hasPrefix("HTTP/1.1 502 "), "\(second)")
            try await exchange(through: proxy, to: target, at: listener)
            #expect(asked.value == 3)
        }
    }

    /// 127.0.0.3.
    private static let silentAddress: UInt32 = 0x7F00_0003

    /// One port of two addresses. A full backlog drops what comes, as a dead host does.
    private static func silentAndListening() throws -> (silent: BlockingSocket, listener: BlockingSocket) {
        var attempts = 0
        while true {
            attempts += 1
            let silent = try BlockingSocket.listening(on: self.silentAddress, backlog: 0)
            do {
                return (silent, try BlockingSocket.listening(port: silent.port))
            } catch BlockingSocket.Failure.system(_, EADDRINUSE) where attempts < 20 {
                // Another test has it on 127.0.0.1.
                silent.close()
            }
        }
    }

    @Test("an address that does not answer is given up for the next ones soon", arguments: relayModes)
    func silentAddress(mode: RelayMode) async throws {
        let (silent, listener) = try Self.silentAndListening()
        defer { silent.close() }
        defer { listener.close() }
        let port = silent.port
        let waiting = try BlockingSocket.connected(to: Self.silentAddress, toPort: port)
        defer { waiting.close() }
        let names = NameService(maxAge: .hours(1)) { _ in
            try ["127.0.0.3", "127.0.0.1"].map { try SocketAddress(ipAddress: $0, port: 0) }
        }
        try await withProxy(names: names) {
            $0.relay = mode
        } _: { proxy, log in
            for _ in 0..<2 {
                try await exchange(through: proxy, to: "target.example:\(port)", at: listener)
            }
            #expect(try await log.first(2).allSatisfy { $0.address == "127.0.0.1:\(port)" })
        }
    }

    @Test("a slow head is told so; one that never begins is cut off without a word")
    func slowHeads() async throws {
        let half = try await self.compare(["CONNECT 127.0.0.1:1 HT"]) { $0.headTimeout = .milliseconds(300) }
        #expect(half.answer.hasPrefix("HTTP/1.1 408 "))
        for mode in relayModes {
            try await withProxy {
                $0.relay = mode
                $0.headTimeout = .milliseconds(300)
            } _: { proxy, _ in
                let answers = [try await ask(proxy, []), try await ask(proxy, [], finish: true)]
                #expect(answers == ["", ""])
            }
        }
    }

    @Test("a request too many in its time is answered the same")
    func requestRate() async throws {
        let result = try await self.compare([connect("127.0.0.1:1")], finish: true, requests: 3) {
            $0.limits.perClient.requestRate = RequestRate(2, per: .hour)
        }
        #expect(result.entries.map(\.status) == [502, 502, 429])
        #expect(result.answer.contains("\r\nRetry-After: "))
    }

    @Test("a connection too many is told so, and one that ends makes room", arguments: relayModes)
    func connections(mode: RelayMode) async throws {
        try await withProxy {
            $0.relay = mode
            $0.limits.perClient.connections = 2
        } _: { proxy, log in
            try await onThread {
                let listener = try BlockingSocket.listening()
                defer { listener.close() }
                for round in 0..<5 {
                    let tunnels = try (0..<2).map { _ in try listener.tunnel(through: Int(proxy.port)) }
                    let third = try BlockingSocket.connected(toPort: Int(proxy.port))
                    try third.send(connect("127.0.0.1:\(listener.port)"))
                    #expect(try third.receive().hasPrefix("HTTP/1.1 429 "), "round \(round)")
                    third.close()
                    for (client, origin) in tunnels {
                        client.close()
                        #expect(try origin.receive() == "")
                        origin.close()
                    }
                    // The proxy counts a tunnel until it has seen both ends.
                    usleep(200_000)
                }
            }
            let entries = try await log.first(15)
            #expect(entries.filter { $0.status == 200 }.count == 10)
            #expect(entries.filter { $0.limit == "client-connections" }.count == 5)
        }
    }

    @Test("bandwidth is limited for a tunnel that begins in front, and its debt is paid by the next one")
    func bandwidth() async throws {
        for mode in relayModes {
            let start = ContinuousClock.now
            try await withTunnel(mode) {
                $0.limits.perClient.bandwidth = 1_000_000
            } _: { client, origin in
                let pattern = BytePattern(seed: 7)
                let sender = Thread {
                    try? pattern.send(2_500_000, to: origin)
                    origin.close()
                }
                sender.start()
                let received = try pattern.receive(2_500_000, from: client)
                #expect(received == 2_500_000)
                client.close()
            }
            // A quarter of a second's worth is saved up, and nobody waits for the debt of the last move.
            #expect(ContinuousClock.now - start > .milliseconds(900), "\(mode)")
        }
    }
}
