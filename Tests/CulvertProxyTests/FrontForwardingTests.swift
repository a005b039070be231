import CulvertTunnel
import Foundation
import HTTPWire
import ProxyAuth
import TestSupport
import Testing

@testable import CulvertProxy

/// What a client sends, with `ORIGIN` for the origin's address, and how what comes back ends.
private struct Exchange: Sendable {
    let send: String
    let until: String

    init(_ send: String, until: String) {
        self.send = send
        self.until = until
    }

    /// A request line's start and end, and more fields.
    static func get(_ path: String, _ fields: String = "", until: String) -> Self {
        Self("GET http://ORIGIN\(path) HTTP/1.1\r\nHost: ORIGIN\r\n\(fields)\r\n", until: until)
    }

    /// What comes back is read to its end.
    static let toTheEnd = "\u{0}never"
}

/// What one of the fronts makes of some requests.
private struct Observed {
    var answers: [String]
    var heads: [String]
    var connections: Int
    var entries: [String]
}

@Suite(
    "Where a plain request is passed on, in front of SwiftNIO or in it, nobody can tell",
    .timeLimit(.minutes(5)))
struct FrontForwardingTests {
    private static let date = "Date: Mon, 30 Nov 2026 03:00:00 GMT\r\n"

    private static func ok(_ body: String, _ fields: String = "") -> String {
        CountingOrigin.ok(body, Self.date + fields)
    }

    private func observe(
        _ mode: RelayMode, _ exchanges: [Exchange], lines: Int, users: UserTable?,
        _ answer: @escaping @Sendable (Int, Int, String) -> String?
    ) async throws -> Observed {
        let origin = CountingOrigin()
        return try await withTCPServer {
            try await origin.serve($0, answer: answer)
        } _: { address in
            try await withProxy {
                $0.relay = mode
                $0.forwarding.pseudonym = "proxy"
                $0.users = users
            } _: { proxy, log in
                let port = ":\(address.port)"
                let answers = try await Dialer(.init { $0.proxy = .none }).withStream(to: proxy) { stream in
                    var client = ProxyClient(stream)
                    var answers: [String] = []
                    for exchange in exchanges {
                        try await stream.write(
                            exchange.send.replacingOccurrences(of: "ORIGIN", with: "\(address)"))
                        answers.append(try await client.receive(until: exchange.until))
                    }
                    return answers
                }
                let entries = try await log.first(lines)
                return Observed(
                    answers: answers,
                    heads: origin.received.map { $0.replacingOccurrences(of: port, with: ":*") },
                    connections: origin.connections,
                    entries: entries.map { entry in
                        """
                        \(entry.user ?? "-") \(entry.method) \(entry.target) \(entry.status) \(entry.isAllowed) \
                        \(entry.reason) \
                        \(entry.address ?? "-") \(entry.bytesDown) \(entry.closedBy)
                        """.replacingOccurrences(of: port, with: ":*")
                    })
            }
        }
    }

    /// From each of the fronts in turn.
    private func compare(
        _ exchanges: [Exchange], lines: Int? = nil, users: UserTable? = nil,
        _ answer: @escaping @Sendable (Int, Int, String) -> String?
    ) async throws -> Observed {
        var all: [Observed] = []
        for mode in relayModes {
            all.append(
                try await self.observe(mode, exchanges, lines: lines ?? exchanges.count, users: users, answer)
            )
        }
        let first = try #require(all.first)
        for other in all.dropFirst() {
            #expect(other.answers == first.answers)
            #expect(other.heads == first.heads)
            #expect(other.entries == first.entries)
        }
        return first
    }

    @Test("requests one after the other use one connection to their origin")
    func keepAlive() async throws {
        let seen = try await self.compare([
            .get("/a?q=1", until: "#1"), .get("", until: "#2"), .get("/b", "X: y\r\n", until: "#3"),
        ]) { connection, request, _ in Self.ok("\(connection)#\(request)") }
        #expect(seen.connections == 1)
        #expect(seen.heads[2].contains("\r\nX: y\r\n") && seen.heads[2].contains("\r\nVia: 1.1 proxy\r\n"))
    }

    @Test("each request tells who asks, and who does not is asked, on the same connection")
    func users() async throws {
        let right = "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n"
        let wrong = "Proxy-Authorization: Basic YWxpY2U6U2VjcmV0\r\n"
        let seen = try await self.compare(
            [
                .get("/1", right, until: "#1"), .get("/2", right, until: "#2"),
                .get("/3", wrong, until: "\n"), .get("/4", right, until: "#4"),
                .get("/5", until: "\n"),
            ], users: UserTable(["alice": "secret"])
        ) { _, _, head in Self.ok("#\(head.split(separator: " ")[1].dropFirst())") }
        #expect(seen.heads.count == 3)
        #expect(seen.heads.allSatisfy { !$0.lowercased().contains("proxy-authorization") })
        #expect(seen.entries.map { $0.prefix(5) } == ["alice", "alice", "- GET", "alice", "- GET"])
    }

    @Test("a client that wants no more requests is closed")
    func close() async throws {
        let seen = try await self.compare([.get("/", "Connection: close\r\n", until: Exchange.toTheEnd)]) {
            _, _, _ in Self.ok("last")
        }
        #expect(seen.answers[0].contains("\r\nConnection: close\r\n"), "\(seen)")
    }

    @Test(
        "answers of every framing come the same",
        arguments: [
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\(date)\r\n3\r\nabc\r\n0\r\n\r\n",
                "0\r\n\r\n"
            ),
            ("HTTP/1.1 204 No Content\r\n\(date)\r\n", "\r\n\r\n"),
            ("HTTP/1.1 304 Not Modified\r\n\(date)Content-Length: 9\r\n\r\n", "\r\n\r\n"),
            ("HTTP/1.0 200 OK\r\n\(date)Connection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "ok"),
            (
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\n\(date)"
                    + "Content-Length: 2\r\n\r\nno", "no"
            ),
            (
                "HTTP/1.1 401 Unauthorized\r\n\(date)WWW-Authenticate: NTLM\r\nContent-Length: 2\r\n\r\nno",
                "no"
            ),
            ("HTTP/1.1 200 OK\r\n\(date)Connection: close\r\nContent-Length: 2\r\n\r\nok", "ok"),
            ("HTTP/1.1 407 No\r\n\(date)Proxy-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno", "no"),
        ])
    func framings(answer: String, until: String) async throws {
        let seen = try await self.compare([.get("/", until: until), .get("/", until: until)]) { _, _, _ in
            answer
        }
        #expect(seen.entries.count == 2 && seen.entries.allSatisfy { $0.contains("forwarded") }, "\(seen)")
    }

    @Test("an answer that ends with its connection is delimited for the client")
    func untilClose() async throws {
        let seen = try await self.compare([.get("/", until: "0\r\n\r\n"), .get("/", until: "0\r\n\r\n")]) {
            _, _, _ in "HTTP/1.1 200 OK\r\n\(Self.date)Connection: close\r\n\r\nbody\(CountingOrigin.end)"
        }
        #expect(seen.answers.allSatisfy { $0.contains("Transfer-Encoding: chunked") }, "\(seen)")
    }

    @Test("HEAD has no body, and the next request meets no rest of one")
    func head() async throws {
        let head = Exchange("HEAD http://ORIGIN/ HTTP/1.1\r\nHost: ORIGIN\r\n\r\n", until: "\r\n\r\n")
        let seen = try await self.compare([head, .get("/", until: "body")]) { _, _, head in
            head.hasPrefix("HEAD")
                ? "HTTP/1.1 200 OK\r\n\(Self.date)Content-Length: 4\r\n\r\n" : Self.ok("body")
        }
        #expect(seen.connections == 1)
    }

    @Test("what comes to no answer is refused the same, octet for octet")
    func refused() async throws {
        // Silent, cut in its head, no HTTP, an upgrade that nobody asked for.
        for answer in ["", "HTTP/1.1 200 OK\r\nX", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 101 Now\r\n\r\n"] {
            let seen = try await self.compare([.get("/", until: "\n")]) { _, _, _ in
                answer + CountingOrigin.end
            }
            #expect(seen.answers[0].hasPrefix("HTTP/1.1 502 "), "\(answer): \(seen)")
        }
    }

    @Test("an origin that is not there is a 502, and the connection goes on")
    func unreachable() async throws {
        let dead = Exchange("GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", until: "\n")
        let seen = try await self.compare([dead, .get("/", until: "there")]) { _, _, _ in Self.ok("there") }
        #expect(seen.answers[0].hasPrefix("HTTP/1.1 502 "), "\(seen)")
        #expect(seen.entries[1].contains(" 200 "), "\(seen)")
    }

    @Test("a body that is cut short is cut for the client too")
    func cut() async throws {
        let seen = try await self.compare([.get("/", until: Exchange.toTheEnd)]) { _, _, _ in
            "HTTP/1.1 200 OK\r\n\(Self.date)Content-Length: 9\r\n\r\npart\(CountingOrigin.end)"
        }
        #expect(seen.answers[0].hasSuffix("part"))
        #expect(!seen.entries[0].contains("forwarded"), "\(seen)")
    }

    @Test("what else comes on the connection is done as ever, before and behind plain requests")
    func mixture() async throws {
        let post = Exchange(
            "POST http://ORIGIN/p HTTP/1.1\r\nHost: ORIGIN\r\nContent-Length: 4\r\n\r\nbody", until: "#p")
        let two = ["1", "2"].map { "GET http://ORIGIN/\($0) HTTP/1.1\r\nHost: ORIGIN\r\n\r\n" }.joined()
        let seen = try await self.compare(
            [
                .get("/a", until: "#a"), post, .get("/b", until: "#b"), Exchange(two, until: "#2"),
                .get("/n", "Authorization: NTLM abc\r\n", until: "#n"),
                Exchange("CONNECT ORIGIN HTTP/1.1\r\nHost: ORIGIN\r\n\r\n", until: "\r\n\r\n"),
            ], lines: 7
        ) { _, _, head in Self.ok("#\(head.split(separator: " ")[1].dropFirst())") }
        #expect(seen.answers[5].hasPrefix("HTTP/1.1 200 "), "\(seen)")
    }

    @Test("a rule that refuses a name or an address refuses it", arguments: relayModes)
    func rules(mode: RelayMode) async throws {
        try await withProxy {
            $0.relay = mode
            $0.policy.rules = [AccessRule(.deny, name: "no-discard") { $0.ports = [9...9] }]
        } _: { proxy, log in
            let answer = try await Dialer(.init { $0.proxy = .none }).withStream(to: proxy) { stream in
                var client = ProxyClient(stream)
                try await stream.write(
                    "GET http://127.0.0.1:9/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return try await client.receiveToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 403 "), "\(answer)")
            #expect(try await log.first(1).map(\.rule) == ["no-discard"])
        }
    }

    @Test("an answer of megabytes waits for a slow reader, and all of it comes", arguments: relayModes)
    func slowReader(mode: RelayMode) async throws {
        let size = 20_000_000
        let entries = try await withSockets(mode) { listener, client in
            defer { client.close() }
            let origin = try Self.get(through: client, from: listener)
            defer { origin.close() }
            Thread.detachNewThread {
                try? origin.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                try? origin.send(String(repeating: "x", count: size))
            }
            usleep(300_000)
            var received = try client.receive(1000)
            let end = try #require(received.range(of: "\r\n\r\n"))
            received.removeSubrange(..<end.upperBound)
            let rest = try client.receive(size - received.utf8.count)
            #expect((received + rest).utf8.allSatisfy { $0 == UInt8(ascii: "x") })
        }
        let entry = try #require(entries.first)
        #expect(entry.bytesDown > UInt64(size) && entry.reason == "forwarded", "\(entry)")
    }

    @Test(
        "a client that leaves under its answer has its line, and its origin is let go", arguments: relayModes)
    func leaving(mode: RelayMode) async throws {
        let entries = try await withSockets(mode) { listener, client in
            let origin = try Self.get(through: client, from: listener)
            defer { origin.close() }
            try origin.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
            _ = try client.receive(40)
            client.reset()
            // What is left of the request, and then its end.
            _ = try? origin.receive()
        }
        let entry = try #require(entries.first)
        #expect(entry.closedBy == .client && entry.status == 200, "\(entry)")
        #expect(entry.reason == "the client left before the answer was complete")
    }

    @Test(
        "a connection to an origin that closes while it waits is not met by the next request",
        arguments: relayModes)
    func closedWhileIdle(mode: RelayMode) async throws {
        let entries = try await withSockets(mode, lines: 5) { listener, client in
            defer { client.close() }
            for number in 0..<5 {
                let origin = try Self.get(through: client, from: listener)
                try origin.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n#\(number)")
                var answer = ""
                while !answer.hasSuffix("#\(number)") { answer += try client.receive(1) }
                origin.close()
                usleep(20_000)
            }
        }
        #expect(entries.map(\.status) == [200, 200, 200, 200, 200])
    }

    /// Asks, and returns the origin's end once the request is there.
    private static func get(
        through client: BlockingSocket, from listener: BlockingSocket
    ) throws -> BlockingSocket {
        let target = "127.0.0.1:\(listener.port)"
        try client.send("GET http://\(target)/ HTTP/1.1\r\nHost: \(target)\r\n\r\n")
        let origin = try listener.accepted()
        _ = try origin.receive(20)
        return origin
    }
}
