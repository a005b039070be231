import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import CulvertTunnel

@Suite("Falling back on other routes")
struct FallBackTests {
    private func closed() async throws -> Authority {
        try await withTCPServer(echo) { $0 }
    }

    @Test("a proxy that cannot be reached is passed over, told of, and tried last for five minutes")
    func passedOver() async throws {
        let dead = try await self.closed()
        let now = Mutex(ContinuousClock.now)
        let health = RouteHealth(now: { now.withLock { $0 } })
        try await withTCPServer { connection in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\n\r\nhere")
            try await connection.finish()
        } _: { proxy in
            let notices = Mutex<[String]>([])
            let rules = try RouteRules("* http://\(dead), http://\(proxy)")
            let dialer = Dialer(
                .init {
                    $0.proxy = .rules(rules)
                    $0.onNotice = { notice in notices.withLock { $0.append(notice) } }
                }, health: health)
            for _ in 0..<2 {
                let text = try await dialer.withStream(to: Authority("target.example:443")) { stream in
                    try await stream.first { _ in true }.map { String(buffer: $0) }
                }
                #expect(text == "here")
            }
            // The second time the dead one is not tried.
            #expect(notices.withLock { $0.count } == 1)
            #expect(notices.withLock { $0.first }?.hasSuffix("trying http://\(proxy)") == true)
            #expect(health.marked.keys.sorted() == ["http://\(dead)"])
            now.withLock { $0 += .seconds(301) }
            #expect(health.marked.isEmpty)
            _ = try await dialer.withStream(to: Authority("target.example:443")) { _ in }
            #expect(notices.withLock { $0.count } == 2)
        }
    }

    @Test(
        "a refusal is the last word",
        arguments: ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
    func refusal(status: String) async throws {
        try await withTCPServer { connection in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
        } _: { proxy in
            let dialer = try Dialer(.init { $0.proxy = .rules(try RouteRules("* http://\(proxy), direct")) })
            let error = try await #require(throws: TunnelError.self) {
                try await dialer.withStream(to: Authority("\(proxy)")) { _ in }
            }
            #expect(error.code == .refusedByProxy)
            #expect(dialer.health.marked.isEmpty)
        }
    }

    @Test("where none can be reached the error tells of each")
    func none() async throws {
        let (a, b) = (try await self.closed(), try await self.closed())
        let dialer = try Dialer(.init { $0.proxy = .rules(try RouteRules("* http://\(a), http://\(b)")) })
        let error = try await #require(throws: TunnelError.self) {
            try await dialer.withStream(to: Authority("target.example:443")) { _ in }
        }
        #expect(error.code == .connectionFailed)
        #expect(
            error.detail.contains("\(b)") && error.detail.contains("tried before: http://\(a):"), "\(error)")
    }

    @Test("a resolver's routes are tried in order, direct included")
    func resolver() async throws {
        let dead = try await self.closed()
        try await withTCPServer(echo) { origin in
            let hop = ProxyHop(scheme: .socks5h, authority: dead)
            let dialer = Dialer(.init { $0.proxy = .resolver { _ in [Route([hop]), .direct] } })
            try await dialer.withStream(to: origin) { stream in try await stream.finish() }
        }
    }
}
