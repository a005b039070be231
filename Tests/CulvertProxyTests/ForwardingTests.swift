import CulvertProxy
import NIOCore
import Synchronization
import TestSupport
import Testing

/// An HTTP origin of a few lines: answers each head with its number on its connection, and counts connections.
final class CountingOrigin: Sendable {
    private let count = Mutex(0)
    private let heads = Mutex<[String]>([])

    var connections: Int { self.count.withLock { $0 } }
    /// Every head that came, in order.
    var received: [String] { self.heads.withLock { $0 } }

    /// - Parameter answer: from the connection's number, the request's number on it and the head; nil closes.
    func serve(
        _ connection: TCPConnection, answer: @Sendable (Int, Int, String) -> String?
    ) async throws {
        let number = self.count.withLock {
            $0 += 1
            return $0
        }
        var request = 0
        while true {
            let head = try await connection.readHead()
            guard head.hasSuffix("\r\n\r\n") else { return }
            request += 1
            self.heads.withLock { $0.append(head) }
            guard let text = answer(number, request, head) else { return }
            guard text.hasSuffix(Self.end) else {
                try await connection.write(text)
                continue
            }
            return try await connection.write(String(text.dropLast(Self.end.count)))
        }
    }

    /// An answer that ends so is without this, and closes.
    static let end = "\u{0}end"

    static func ok(_ body: String, _ fields: String = "") -> String {
        "HTTP/1.1 200 OK\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

/// One client connection to the proxy, over which requests go one after the other.
struct ProxyClient {
    let stream: TunnelStream
    private var waiting = ByteBuffer()
    private var iterator: TunnelStream.AsyncIterator

    init(_ stream: TunnelStream) {
        self.stream = stream
        self.iterator = stream.makeAsyncIterator()
    }

    /// Everything until what came ends with `text`; all there is at the end of the stream.
    mutating func receive(until text: String) async throws -> String {
        while !String(buffer: self.waiting).hasSuffix(text) {
            guard let bytes = try await self.iterator.next() else { break }
            self.waiting.writeImmutableBuffer(bytes)
        }
        defer { self.waiting.clear() }
        return String(buffer: self.waiting)
    }

    mutating func receiveToEnd() async throws -> String { try await self.receive(until: "\u{0}never") }
}

private func withClient<Result>(
    _ proxy: Authority, _ body: (inout ProxyClient) async throws -> Result
) async throws -> Result {
    try await Dialer(.init { $0.proxy = .none }).withStream(to: proxy) { stream in
        var client = ProxyClient(stream)
        return try await body(&client)
    }
}

private func get(_ origin: Authority, _ path: String = "/", _ fields: String = "") -> String {
    "GET http://\(origin)\(path) HTTP/1.1\r\nHost: \(origin)\r\n\(fields)\r\n"
}

@Suite("Forwarded requests", .timeLimit(.minutes(3)))
struct ForwardingTests {
    @Test("connections persist on both sides, and each request has its line in the log")
    func keepAlive() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { connection, request, _ in
                CountingOrigin.ok("\(connection).\(request)")
            }
        } _: { address in
            try await withProxy { proxy, log in
                try await withClient(proxy) { client in
                    for number in 1...3 {
                        try await client.stream.write(get(address, "/x?token=secret"))
                        #expect(
                            try await client.receive(until: "1.\(number)").hasPrefix("HTTP/1.1 200 OK\r\n"))
                    }
                }
                #expect(origin.connections == 1)
                let entries = try await log.first(3)
                #expect(entries.map(\.status) == [200, 200, 200])
                #expect(
                    entries.allSatisfy { $0.isAllowed && $0.method == "GET" && $0.address == "\(address)" })
                #expect(entries[0].target == "http://\(address)/x?")
                #expect(entries[0].bytesUp > 40 && entries[0].bytesDown > 40)
                #expect(
                    origin.received[0].hasPrefix(
                        "GET /x?token=secret HTTP/1.1\r\nHost: \(address)\r\nVia: 1.1 culvert-"))
            }
        }
    }

    @Test("pipelined requests are answered in order, whatever becomes of each")
    func pipelined() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { _, _, head in CountingOrigin.ok(String(head.prefix(6))) }
        } _: { address in
            try await withProxy { proxy, _ in
                try await withClient(proxy) { client in
                    let dead = try Authority(host: "127.0.0.1", port: 1)
                    let requests = (1...20).map { get($0 % 5 == 0 ? dead : address, "/\($0 % 10)") }.joined()
                    try await client.stream.write(requests)
                    try await client.stream.finish()
                    let answers = try await client.receiveToEnd()
                    let statuses = answers.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
                    #expect(statuses == (1...20).map { $0 % 5 == 0 ? "502" : "200" })
                    let bodies = answers.split(separator: "GET /").dropFirst().map { $0.prefix(1) }
                    #expect(bodies == (1...20).filter { $0 % 5 != 0 }.map { "\($0 % 10)" })
                }
            }
        }
    }

    @Test("a connection that went stale costs a repeatable request nothing, and a POST never meets one")
    func stale() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            // Closes under the second request, as if its idle time had run out just then.
            try await origin.serve($0) { connection, request, _ in
                request == 1 ? CountingOrigin.ok("\(connection).") : nil
            }
        } _: { address in
            try await withProxy { proxy, _ in
                try await withClient(proxy) { client in
                    for number in 1...3 {
                        try await client.stream.write(get(address))
                        #expect(try await client.receive(until: "\(number).").contains(" 200 "))
                    }
                    try await client.stream.write(
                        "POST http://\(address)/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                    #expect(try await client.receive(until: "4.").contains(" 200 "))
                }
            }
        }
    }

    @Test("bodies of megabytes cross both ways, in every framing", arguments: [true, false])
    func bodies(isChunked: Bool) async throws {
        let size = 5_000_000
        try await withTCPServer { connection in
            let head = try await connection.readHead()
            // The proxy cuts chunks as it reads them; what counts is the content.
            var body = ByteBuffer()
            if isChunked {
                #expect(head.contains("Transfer-Encoding: chunked\r\n"))
                while !body.readableBytesView.suffix(7).elementsEqual("\r\n0\r\n\r\n".utf8) {
                    guard let bytes = try await connection.read() else { break }
                    body.writeImmutableBuffer(bytes)
                }
                #expect(body.readableBytes > size)
            } else {
                body = try await connection.read(count: size)
                #expect(body.readableBytes == size)
            }
            // Without a length: the proxy makes chunks of it.
            try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
            for _ in 0..<5 { try await connection.write(ByteBuffer(repeating: 0x78, count: size / 5)) }
        } _: { address in
            try await withProxy { proxy, log in
                try await withClient(proxy) { client in
                    let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(size)"
                    try await client.stream.write(
                        "POST http://\(address)/ HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
                    for _ in 0..<50 {
                        if isChunked { try await client.stream.write(String(size / 50, radix: 16) + "\r\n") }
                        try await client.stream.write(ByteBuffer(repeating: 0x79, count: size / 50))
                        if isChunked { try await client.stream.write("\r\n") }
                    }
                    if isChunked { try await client.stream.write("0\r\n\r\n") }
                    let answer = try await client.receive(until: "\r\n0\r\n\r\n")
                    #expect(answer.utf8.count { $0 == 0x78 } == size)
                }
                #expect(try await log.first(1).first?.bytesUp ?? 0 >= size)
            }
        }
    }

    @Test("a body that never comes is a 408, a slow answer a 504")
    func timeouts() async throws {
        try await withTCPServer { connection in
            _ = try await connection.readHead()
            _ = try await connection.readToEnd()
        } _: { address in
            try await withProxy {
                $0.forwarding.bodyTimeout = .seconds(1)
                $0.idleTimeout = .seconds(2)
            } _: { proxy, _ in
                try await withClient(proxy) { client in
                    try await client.stream.write(
                        "POST http://\(address)/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
                    let answer = try await client.receiveToEnd()
                    #expect(answer.hasPrefix("HTTP/1.1 408 "))
                    #expect(answer.contains("; error=http_request_error\r\n"))
                }
                try await withClient(proxy) { client in
                    try await client.stream.write(get(address))
                    let answer = try await client.receive(until: "to answer.\n")
                    #expect(answer.hasPrefix("HTTP/1.1 504 "))
                    #expect(answer.contains("; error=http_response_timeout\r\n"))
                    // The connection is not to blame.
                    try await client.stream.write(get(address))
                    #expect(try await client.receive(until: "to answer.\n").hasPrefix("HTTP/1.1 504 "))
                }
            }
        }
    }

    @Test("a client's connection that waits too long for its next request is closed")
    func keepAliveTimeout() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { _, _, _ in CountingOrigin.ok("hi") }
        } _: { address in
            try await withProxy {
                $0.forwarding.keepAliveTimeout = .seconds(1)
            } _: { proxy, _ in
                try await withClient(proxy) { client in
                    try await client.stream.write(get(address))
                    #expect(try await client.receiveToEnd().hasSuffix("hi"))
                }
            }
        }
    }

    @Test("the pool keeps as many connections as it may, for as long as it may")
    func poolLimits() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { connection, _, _ in CountingOrigin.ok("\(connection).") }
        } _: { address in
            try await withProxy {
                $0.forwarding.maxIdleConnectionsPerOrigin = 0
            } _: { proxy, _ in
                try await withClient(proxy) { client in
                    for number in 1...3 {
                        try await client.stream.write(get(address))
                        #expect(try await client.receive(until: "\(number).").contains(" 200 "))
                    }
                }
            }
            try await withProxy {
                $0.forwarding.originIdleTimeout = .milliseconds(100)
            } _: { proxy, _ in
                try await withClient(proxy) { client in
                    try await client.stream.write(get(address))
                    #expect(try await client.receive(until: "4.").contains(" 200 "))
                    try await Task.sleep(for: .milliseconds(600))
                    try await client.stream.write(get(address))
                    #expect(try await client.receive(until: "5.").contains(" 200 "))
                }
            }
        }
    }

    @Test("an upgrade tunnels behind a real 101, with every early byte")
    func upgrade() async throws {
        try await withTCPServer { connection in
            let head = try await connection.readHead()
            #expect(head.contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"))
            try await connection.write(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst,")
            while let bytes = try await connection.read() { try await connection.write(bytes) }
        } _: { address in
            try await withProxy { proxy, log in
                try await withClient(proxy) { client in
                    try await client.stream.write(
                        get(address, "/", "Connection: Upgrade\r\nUpgrade: websocket\r\n") + "early,")
                    let answer = try await client.receive(until: "first,early,")
                    #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
                    try await client.stream.write("late")
                    #expect(try await client.receive(until: "late") == "late")
                }
                let entry = try #require(try await log.first(1).first)
                #expect(entry.status == 101)
                #expect(entry.bytesDown >= 16)
            }
        }
    }

    @Test("a client that stops reading stops its origin, and neither fills the memory")
    func backPressure() async throws {
        let sent = Mutex(0)
        try await withTCPServer { connection in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            for _ in 0..<1000 {
                try await connection.write(ByteBuffer(repeating: 0x78, count: 1_000_000))
                sent.withLock { $0 += 1 }
            }
        } _: { address in
            try await withProxy { proxy, _ in
                try await withClient(proxy) { client in
                    try await client.stream.write(get(address))
                    var before = -1
                    while sent.withLock({ $0 }) != before {
                        before = sent.withLock { $0 }
                        try await Task.sleep(for: .milliseconds(500))
                    }
                    // What the sockets hold, some megabytes each.
                    #expect(before < 50)
                }
            }
        }
    }

    @Test("a connection that NTLM authenticated stays its client's own")
    func bound() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { connection, _, head in
                head.contains("Authorization")
                    ? CountingOrigin.ok("#\(connection)!")
                    : "HTTP/1.1 401 Who\r\nWWW-Authenticate: NTLM\r\nContent-Length: 3\r\n\r\n#\(connection)!"
            }
        } _: { address in
            try await withProxy { proxy, _ in
                try await withClient(proxy) { client in
                    try await client.stream.write(get(address))
                    #expect(try await client.receive(until: "!").hasPrefix("HTTP/1.1 401 "))
                    var connections: Set<Substring> = []
                    for _ in 0..<3 {
                        try await client.stream.write(get(address, "/", "Authorization: NTLM x\r\n"))
                        let answer = try await client.receive(until: "!")
                        #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
                        connections.formUnion(answer.split(separator: "#").suffix(1))
                    }
                    #expect(connections.count == 1)
                    try await withClient(proxy) { other in
                        try await other.stream.write(get(address))
                        let answer = try await other.receive(until: "!")
                        #expect(answer.hasPrefix("HTTP/1.1 401 "))
                        #expect(connections.isDisjoint(with: answer.split(separator: "#").suffix(1)))
                    }
                }
            }
        }
    }

    @Test("an answer that is cut short is cut for the client too")
    func truncated() async throws {
        try await withTCPServer { connection in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf")
        } _: { address in
            try await withProxy { proxy, log in
                try await withClient(proxy) { client in
                    try await client.stream.write(get(address))
                    let answer = try await client.receiveToEnd()
                    #expect(answer.hasSuffix("half\r\n"))
                }
                let entry = try #require(try await log.first(1).first)
                #expect(entry.reason == "the origin closed inside its answer")
                #expect(entry.closedBy == .origin)
            }
        }
    }

    @Test("each request shows its credentials, and the next user's are looked at anew")
    func users() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { _, _, _ in CountingOrigin.ok("hi") }
        } _: { address in
            try await withProxy {
                $0.users = UserTable(["alice": "secret"])
            } _: { proxy, log in
                try await withClient(proxy) { client in
                    let right = "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n"
                    try await client.stream.write(get(address, "/", right))
                    _ = try await client.receive(until: "hi")
                    try await client.stream.write(get(address))
                    #expect(try await client.receive(until: "authentication.\n").hasPrefix("HTTP/1.1 407 "))
                    try await client.stream.write(get(address, "/", right))
                    _ = try await client.receive(until: "hi")
                }
                let entries = try await log.first(3)
                #expect(entries.map(\.status) == [200, 407, 200])
                #expect(entries.map(\.user) == ["alice", nil, "alice"])
                #expect(origin.received.allSatisfy { !$0.contains("Authorization") })
            }
        }
    }

    @Test("the rules hold for every request, and a refusal keeps the connection")
    func rules() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { _, _, _ in CountingOrigin.ok("hi") }
        } _: { address in
            try await withProxy {
                $0.guardMode = .on
            } _: { proxy, log in
                try await withClient(proxy) { client in
                    for host in ["127.0.0.1", "localhost", "169.254.169.254", "[::ffff:10.0.0.1]"] {
                        try await client.stream.write(
                            "GET http://\(host):\(address.port)/ HTTP/1.1\r\nHost: x\r\n\r\n")
                        let answer = try await client.receive(until: "\n")
                        #expect(answer.hasPrefix("HTTP/1.1 403 "), "\(host): \(answer)")
                        #expect(answer.contains("Connection: keep-alive\r\n"))
                    }
                }
                #expect(try await log.first(4).map(\.status) == [403, 403, 403, 403])
                #expect(origin.connections == 0)
            }
        }
    }

    @Test("the proxy itself is no target, and a request that comes back is a 508")
    func loops() async throws {
        try await withProxy {
            $0.forwarding.pseudonym = "edge-1"
        } _: { proxy, _ in
            try await withClient(proxy) { client in
                try await client.stream.write(get(proxy))
                #expect(try await client.receive(until: "\n").hasPrefix("HTTP/1.1 403 "))
                try await client.stream.write(get(proxy, "/", "Via: 1.1 other, 1.1 edge-1 (x)\r\n"))
                let answer = try await client.receive(until: "before.\n")
                #expect(answer.hasPrefix("HTTP/1.1 508 "))
                #expect(answer.contains("\r\nProxy-Status: edge-1; error=proxy_loop_detected\r\n"))
            }
        }
    }
}

@Suite("Forwarded requests, through a parent", .timeLimit(.minutes(3)))
struct ForwardingParentTests {
    private static func parent(_ authority: Authority, _ user: String? = nil, _ password: String = "")
        -> ProxyHop
    {
        ProxyHop(
            scheme: .http, authority: authority,
            credentials: user.map { ProxyCredentials(user: $0, password: Secret(password)) })
    }

    private static let challenge =
        "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 3\r\n\r\nno\n"

    @Test("it gets the absolute form, its own credentials once it asked, and its connection persists")
    func credentials() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { connection, request, head in
                head.contains("Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n")
                    ? CountingOrigin.ok("\(connection).\(request)") : Self.challenge
            }
        } _: { parent in
            try await withProxy {
                $0.upstream = Route([Self.parent(parent, "alice", "secret")])
            } _: { proxy, _ in
                try await withClient(proxy) { client in
                    for number in 1...3 {
                        try await client.stream.write(
                            "GET http://far.test/\(number) HTTP/1.1\r\nHost: x\r\n\r\n")
                        // The challenge came first, on the same connection.
                        let answer = try await client.receive(until: "1.\(number + 1)")
                        #expect(answer.hasPrefix("HTTP/1.1 200 ") && !answer.contains("407"))
                    }
                    try await client.stream.write(
                        "POST http://far.test/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                    // Not on the waiting one: a POST is not to be repeated.
                    _ = try await client.receive(until: "2.1")
                }
                #expect(origin.received.allSatisfy { $0.contains(" http://far.test/") })
                #expect(!origin.received[0].contains("Proxy-Authorization"))
            }
        }
    }

    @Test("its 407 is never shown: missing and wrong credentials are a 502", arguments: [nil, "alice"])
    func refused(user: String?) async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { _, _, _ in Self.challenge }
        } _: { parent in
            try await withProxy {
                $0.upstream = Route([Self.parent(parent, user, "wrong")])
            } _: { proxy, log in
                try await withClient(proxy) { client in
                    for _ in 1...2 {
                        try await client.stream.write("GET http://far.test/ HTTP/1.1\r\nHost: x\r\n\r\n")
                        let answer = try await client.receive(until: "in\n")
                        #expect(answer.hasPrefix("HTTP/1.1 502 "), "\(answer)")
                        #expect(!answer.contains("Authenticate"))
                    }
                }
                #expect(try await log.first(2).allSatisfy { $0.reason.contains("parent") })
            }
        }
    }

    @Test("its connections are never shared by two users")
    func identities() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { connection, request, _ in
                CountingOrigin.ok("\(connection).\(request)")
            }
        } _: { parent in
            try await withProxy {
                $0.upstream = Route([Self.parent(parent)])
                $0.users = UserTable(["alice": "secret", "bob": "secret"])
            } _: { proxy, _ in
                try await withClient(proxy) { client in
                    for (user, answer) in [
                        ("YWxpY2U", "1.1"), ("Ym9i", "2.1"), ("YWxpY2U", "1.2"), ("Ym9i", "2.2"),
                    ] {
                        let value = user == "Ym9i" ? "Ym9iOnNlY3JldA==" : "YWxpY2U6c2VjcmV0"
                        try await client.stream.write(
                            "GET http://far.test/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic \(value)\r\n\r\n"
                        )
                        #expect(try await client.receive(until: answer).hasSuffix(answer))
                    }
                }
                #expect(origin.received.allSatisfy { !$0.contains("Proxy-Authorization") })
            }
        }
    }

    @Test("the guard looks at what it would dial")
    func guarded() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { _, _, _ in CountingOrigin.ok("hi") }
        } _: { parent in
            try await withProxy {
                $0.upstream = Route([Self.parent(parent)])
                $0.guardMode = .on
            } _: { proxy, _ in
                try await withClient(proxy) { client in
                    for host in ["localhost", "127.0.0.1"] {
                        try await client.stream.write("GET http://\(host)/ HTTP/1.1\r\nHost: x\r\n\r\n")
                        #expect(try await client.receive(until: "\n").hasPrefix("HTTP/1.1 403 "))
                    }
                }
                #expect(origin.connections == 0)
            }
        }
    }

    @Test("through a chain the request goes in a tunnel, in origin form")
    func chain() async throws {
        let origin = CountingOrigin()
        try await withTCPServer {
            try await origin.serve($0) { connection, request, _ in
                CountingOrigin.ok("\(connection).\(request)")
            }
        } _: { address in
            try await withProxy { far, _ in
                try await withProxy { near, _ in
                    try await withProxy {
                        $0.upstream = Route([Self.parent(near), Self.parent(far)])
                    } _: { proxy, _ in
                        try await withClient(proxy) { client in
                            for number in 1...2 {
                                try await client.stream.write(get(address))
                                _ = try await client.receive(until: "1.\(number)")
                            }
                        }
                        #expect(origin.received.allSatisfy { $0.hasPrefix("GET / HTTP/1.1\r\n") })
                    }
                }
            }
        }
    }
}
