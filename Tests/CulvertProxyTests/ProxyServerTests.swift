import CulvertTunnel
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import CulvertProxy

/// The entries that a proxy has logged so far.
final class LogRecorder: Sendable {
    private let entries = Mutex<[AccessLogEntry]>([])

    func record(_ entry: AccessLogEntry) { self.entries.withLock { $0.append(entry) } }

    /// The entries, once there are so many; fewer after ten seconds.
    func first(_ count: Int) async throws -> [AccessLogEntry] {
        for _ in 0..<1000 {
            let entries = self.entries.withLock { $0 }
            if entries.count >= count { return entries }
            try await Task.sleep(for: .milliseconds(10))
        }
        return self.entries.withLock { $0 }
    }
}

/// Runs a proxy on a free loopback port while `body` runs.
func withProxy<Result: Sendable>(
    names: NameService? = nil,
    _ configure: @Sendable (inout ProxyConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (Authority, LogRecorder) async throws -> Result
) async throws -> Result {
    let log = LogRecorder()
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let configuration = ProxyConfiguration {
        $0.listeners = [ListenAddress(address: .v4(0x7F00_0001), port: 0)]
        configure(&$0)
        $0.accessLog = { log.record($0) }
        $0.onListening = { port.yield($0.first?.port ?? 0) }
    }
    let server = ProxyServer(configuration, names: names)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        defer { group.cancelAll() }
        var iterator = ports.makeAsyncIterator()
        let chosen = try #require(await iterator.next())
        return try await body(Authority(host: "127.0.0.1", port: chosen), log)
    }
}

/// Sends bytes to the proxy over plain TCP, half-closes if asked, and returns all that comes back.
private func exchange(_ proxy: Authority, _ request: String, finish: Bool = false) async throws -> String {
    try await Dialer(.init { $0.proxy = .none }).withStream(to: proxy) { stream in
        try await stream.write(request)
        if finish { try await stream.finish() }
        var received = ByteBuffer()
        for try await bytes in stream { received.writeImmutableBuffer(bytes) }
        return String(buffer: received)
    }
}

private func through(_ proxy: Authority, user: String? = nil, password: String = "") -> Dialer {
    let credentials = user.map { ProxyCredentials(user: $0, password: Secret(password)) }
    return Dialer(
        .init { $0.proxy = .hops([ProxyHop(scheme: .http, authority: proxy, credentials: credentials)]) })
}

@Suite("The proxy's tunnels")
struct ProxyTunnelTests {
    @Test("bytes cross both ways, and one line tells of it")
    func tunnel() async throws {
        try await withTCPServer(echo) { origin in
            try await withProxy { proxy, log in
                let text = try await through(proxy).withStream(to: origin) { stream in
                    try await stream.write("to and fro")
                    try await stream.finish()
                    var received = ByteBuffer()
                    for try await bytes in stream { received.writeImmutableBuffer(bytes) }
                    return String(buffer: received)
                }
                #expect(text == "to and fro")
                let entry = try #require(try await log.first(1).first)
                #expect(entry.status == 200)
                #expect(entry.isAllowed)
                #expect(entry.target == "\(origin)")
                #expect(entry.address == "\(origin)")
                #expect(entry.bytesUp == 10)
                #expect(entry.bytesDown == 10)
                #expect(entry.closedBy == .client)
            }
        }
    }

    @Test("bytes behind the CONNECT head wait for the 200 and arrive in order")
    func earlyBytes() async throws {
        try await withTCPServer(echo) { origin in
            try await withProxy { proxy, _ in
                let answer = try await exchange(
                    proxy, "CONNECT \(origin) HTTP/1.1\r\nHost: \(origin)\r\n\r\nearly bytes", finish: true)
                let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
                #expect(parts.first?.hasPrefix("HTTP/1.1 200 ") == true)
                #expect(parts.last == "early bytes")
            }
        }
    }

    @Test("the origin's end passes while the client goes on sending")
    func originFinishesFirst() async throws {
        let (totals, total) = AsyncStream.makeStream(of: Int.self)
        try await withTCPServer { connection in
            try await connection.write("bye")
            try await connection.finish()
            total.yield(try await connection.readToEnd().readableBytes)
        } _: { origin in
            try await withProxy { proxy, log in
                try await through(proxy).withStream(to: origin) { stream in
                    for try await bytes in stream { #expect(String(buffer: bytes) == "bye") }
                    try await stream.write(ByteBuffer(repeating: 7, count: 1_000_000))
                    try await stream.finish()
                    var iterator = totals.makeAsyncIterator()
                    #expect(await iterator.next() == 1_000_000)
                }
                #expect(try await log.first(1).first?.closedBy == .origin)
            }
        }
    }

    @Test("a slow reader stops the sender, and loses nothing")
    func backPressure() async throws {
        // Linux lets the receive buffers of both connections grow to 32 MiB each, and the send buffers to 4 MiB.
        let size = 192 * 1024 * 1024
        let sent = Tally()
        try await withTCPServer { connection in
            let chunk = ByteBuffer(repeating: 1, count: 256 * 1024)
            for _ in 0..<(size / chunk.readableBytes) {
                try await connection.write(chunk)
                sent.add(chunk.readableBytes)
            }
            try await connection.finish()
        } _: { origin in
            try await withProxy { proxy, _ in
                try await through(proxy).withStream(to: origin) { stream in
                    // Nobody reads: what the sender got rid of is what sockets and watermarks hold.
                    let before = try await sent.settled()
                    #expect(
                        before < size / 2, "\(before) bytes were taken from the origin with nobody reading")
                    var count = 0
                    for try await bytes in stream { count += bytes.readableBytes }
                    #expect(count == size)
                }
            }
        }
    }

    @Test("a parent with a password")
    func parent() async throws {
        try await withTCPServer(echo) { origin in
            try await withProxy {
                $0.users = UserTable(["alice": "secret"])
            } _: { parent, parentLog in
                try await withProxy {
                    let credentials = ProxyCredentials(user: "alice", password: "secret")
                    $0.upstream = Route([ProxyHop(scheme: .http, authority: parent, credentials: credentials)]
                    )
                } _: { proxy, _ in
                    try await through(proxy).withStream(to: origin) { stream in
                        try await stream.write("x")
                        var iterator = stream.makeAsyncIterator()
                        #expect(try await iterator.next()?.readableBytes == 1)
                    }
                }
                #expect(try await parentLog.first(2).map(\.status) == [407, 200])
                #expect(try await parentLog.first(2).last?.user == "alice")
            }
        }
    }

    @Test("a tunnel in which nothing moves ends at the idle timeout")
    func idle() async throws {
        try await withTCPServer(echo) { origin in
            try await withProxy {
                $0.idleTimeout = .milliseconds(200)
            } _: { proxy, log in
                try await through(proxy).withStream(to: origin) { stream in
                    var iterator = stream.makeAsyncIterator()
                    let end = try await iterator.next()
                    #expect(end == nil)
                }
                let entry = try await log.first(1).first
                #expect(entry?.reason == "idle")
                #expect(entry?.closedBy == .proxy)
            }
        }
    }
}

@Suite("What the proxy refuses")
struct ProxyRefusalTests {
    @Test(
        "requests that are no CONNECT",
        arguments: [
            ("GET https://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", "501"),
            ("GET / HTTP/1.1\r\nHost: proxy\r\n\r\n", "405"),
            ("OPTIONS * HTTP/1.1\r\nHost: proxy\r\n\r\n", "405"),
            ("CONNECT example.com HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
            ("CONNECT 0177.0.0.1:443 HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
            ("CONNECT a:443 HTTP/1.1\r\nHost : a:443\r\n\r\n", "400"),
            ("CONNECT a:443 HTTP/2.0\r\nHost: a:443\r\n\r\n", "505"),
            ("\u{16}\u{3}\u{1} TLS to a plain port\r\n\r\n", "400"),
        ])
    func status(request: String, status: String) async throws {
        try await withProxy { proxy, log in
            let answer = try await exchange(proxy, request)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(answer.contains("Content-Type: text/plain"))
            #expect(answer.contains("Connection: close"))
            #expect(try await log.first(1).map { "\($0.status)" } == [status])
        }
    }

    @Test("a head over the limit")
    func headTooLarge() async throws {
        try await withProxy { proxy, _ in
            let filler = String(repeating: "x", count: 20_000)
            let answer = try await exchange(proxy, "CONNECT a:443 HTTP/1.1\r\nX: \(filler)\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 431 "))
        }
    }

    @Test("a head that does not come to its end")
    func slowHead() async throws {
        try await withProxy {
            $0.headTimeout = .seconds(3)
        } _: { proxy, log in
            let answer = try await exchange(proxy, "CONNECT a:443 HT")
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            let silence = try await exchange(proxy, "")
            #expect(silence.isEmpty)
            let entries = try await log.first(1)
            #expect(entries.map(\.status) == [408])
        }
    }

    @Test("the proxy itself as the target")
    func loop() async throws {
        try await withProxy { proxy, _ in
            for target in ["\(proxy)", "localhost:\(proxy.port)"] {
                let answer = try await exchange(
                    proxy, "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 403 "), "\(target): \(answer)")
            }
        }
    }

    @Test("ports and guarded addresses, literal and resolved")
    func policy() async throws {
        try await withProxy {
            $0.policy.connectPorts = [443]
            $0.guardMode = .on
        } _: { proxy, log in
            for (target, words) in [
                ("example.com:22", "port 22"), ("127.0.0.1:443", "loopback"), ("localhost:443", "forbid"),
            ] {
                let answer = try await exchange(
                    proxy, "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 403 "), "\(target): \(answer)")
                #expect(answer.contains(words), "\(target): \(answer)")
            }
            #expect(try await log.first(3).allSatisfy { !$0.isAllowed && $0.status == 403 })
        }
    }

    @Test("targets that cannot be reached")
    func unreachable() async throws {
        let closed = try await withTCPServer { _ in
        } _: {
            $0
        }
        try await withProxy { proxy, _ in
            for target in ["\(closed)", "nonexistent.invalid:443"] {
                let answer = try await exchange(
                    proxy, "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 502 "), "\(target): \(answer)")
            }
        }
    }

    @Test("a parent that never answers is a timeout")
    func silentParent() async throws {
        try await withTCPServer { connection in
            _ = try await connection.readToEnd()
        } _: { parent in
            try await withProxy {
                $0.upstream = Route([ProxyHop(scheme: .http, authority: parent)])
                $0.connectTimeout = .seconds(2)
            } _: { proxy, _ in
                let answer = try await exchange(proxy, "CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 504 "), "\(answer)")
            }
        }
    }
}

@Suite("Users of the proxy")
struct ProxyUserTests {
    @Test("right and wrong passwords")
    func passwords() async throws {
        try await withTCPServer(echo) { origin in
            try await withProxy {
                $0.users = UserTable(["alice": "secret"])
            } _: { proxy, log in
                try await through(proxy, user: "alice", password: "secret").withStream(to: origin) { _ in }
                let error = try await #require(throws: TunnelError.self) {
                    try await through(proxy, user: "alice", password: "wrong").withStream(to: origin) { _ in }
                }
                #expect(error.code == .authenticationFailed)
                #expect(try await log.first(4).map(\.status).sorted() == [200, 407, 407, 407])
            }
        }
    }

    @Test("a 407 keeps the connection for the retry, which reaches the origin without the password")
    func sameConnection() async throws {
        try await withTCPServer(echo) { origin in
            try await withProxy {
                $0.users = UserTable(["alice": "secret"])
            } _: { proxy, _ in
                try await Dialer(.init { $0.proxy = .none }).withStream(to: proxy) { stream in
                    try await stream.write("CONNECT \(origin) HTTP/1.1\r\nHost: \(origin)\r\n\r\n")
                    var iterator = stream.makeAsyncIterator()
                    let refusal = try await iterator.next().map { String(buffer: $0) } ?? ""
                    #expect(refusal.hasPrefix("HTTP/1.1 407 "))
                    #expect(refusal.contains("Proxy-Authenticate: Basic realm=\"Culvert\""))
                    #expect(!refusal.contains("Connection: close"))
                    try await stream.write(
                        "CONNECT \(origin) HTTP/1.1\r\nHost: \(origin)\r\n"
                            + "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n\r\nhello")
                    try await stream.finish()
                    var rest = ByteBuffer()
                    while let bytes = try await iterator.next() { rest.writeImmutableBuffer(bytes) }
                    let answer = String(buffer: rest)
                    #expect(answer.hasPrefix("HTTP/1.1 200 "))
                    #expect(answer.hasSuffix("\r\n\r\nhello"), "\(answer)")
                }
            }
        }
    }
}
