import CulvertAdmin
import CulvertProxy
import CulvertTunnel
import CulvertWebSocket
import Foundation
import HTTPWire
import Logging
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing

/// A proxy with its admin listener, both on free loopback ports, while `body` runs.
private func withAdmin<Result: Sendable>(
    _ configure: @Sendable (inout ProxyConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (_ proxy: Authority, _ admin: Authority, ServiceGroup) async throws -> Result
) async throws -> Result {
    let (ports, port) = AsyncStream.makeStream(of: (isProxy: Bool, port: Int).self)
    let proxy = ProxyServer(
        .init {
            $0.listeners = [ListenAddress(address: .v4(0x7F00_0001), port: 0)]
            configure(&$0)
            $0.onListening = { port.yield((true, $0.first?.port ?? 0)) }
        })
    let admin = AdminServer(
        .init {
            $0.address = ListenAddress(address: .v4(0x7F00_0001), port: 0)
            $0.onListening = { port.yield((false, $0.port ?? 0)) }
        }, for: proxy)
    let services = ServiceGroup(services: [admin, proxy], logger: Logger(label: "test"))
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        defer { group.cancelAll() }
        var known: [Bool: Int] = [:]
        for await (isProxy, port) in ports {
            known[isProxy] = port
            if known.count == 2 { break }
        }
        return try await body(
            Authority(host: "127.0.0.1", port: known[true] ?? 0),
            Authority(host: "127.0.0.1", port: known[false] ?? 0), services)
    }
}

private func exchange(_ peer: Authority, _ request: String) async throws -> String {
    try await Dialer(.init { $0.proxy = .none }).withStream(to: peer) { stream in
        try await stream.write(request)
        var received = ByteBuffer()
        for try await bytes in stream { received.writeImmutableBuffer(bytes) }
        return String(buffer: received)
    }
}

private func get(_ admin: Authority, _ path: String, host: String? = nil) async throws -> String {
    try await exchange(admin, "GET \(path) HTTP/1.1\r\nHost: \(host ?? "\(admin)")\r\n\r\n")
}

private func through(_ proxy: Authority) -> Dialer {
    Dialer(.init { $0.proxy = .hops([ProxyHop(scheme: .http, authority: proxy)]) })
}

@Suite("The admin listener", .timeLimit(.minutes(2)))
struct AdminServerTests {
    @Test("open tunnels, their bytes and refusals are in the metrics while they last")
    func metrics() async throws {
        try await withTCPServer(echo) { origin in
            try await withAdmin {
                $0.policy.connectPorts = [origin.port]
            } _: { proxy, admin, _ in
                try await through(proxy).withStream(to: origin) { stream in
                    try await stream.write("12345")
                    var iterator = stream.makeAsyncIterator()
                    _ = try await iterator.next()
                    _ = try? await through(proxy).withStream(to: Authority("127.0.0.1:1")) { _ in }

                    let text = try await get(admin, "/metrics")
                    #expect(text.hasPrefix("HTTP/1.1 200 "))
                    #expect(text.contains("Content-Type: text/plain; version=0.0.4"))
                    for line in [
                        "culvert_tunnels_open 1", "culvert_tunnels_opened_total 1",
                        "culvert_bytes_total{direction=\"up\"} 5",
                        "culvert_bytes_total{direction=\"down\"} 5",
                        "culvert_requests_refused_total{reason=\"forbidden\"} 1",
                        "culvert_dial_seconds_count 1", "culvert_state{state=\"serving\"} 1",
                    ] {
                        #expect(text.contains("\n\(line)\n"), "\(line) in \(text)")
                    }
                }
            }
        }
    }

    @Test("the admin listener is no target for the proxy's clients")
    func guarded() async throws {
        try await withAdmin { proxy, admin, _ in
            for target in ["\(admin)", "localhost:\(admin.port)"] {
                let answer = try await exchange(
                    proxy, "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 403 "), "\(answer)")
            }
        }
    }

    @Test("ready while it serves; while it drains the listener goes on, and says not ready")
    func draining() async throws {
        try await withTCPServer(echo) { origin in
            try await withAdmin {
                $0.drainTimeout = .seconds(60)
            } _: { proxy, admin, services in
                try await through(proxy).withStream(to: origin) { stream in
                    #expect(try await get(admin, "/readyz").hasPrefix("HTTP/1.1 200 "))
                    await services.triggerGracefulShutdown()
                    var answer = ""
                    for _ in 0..<500 where !answer.hasPrefix("HTTP/1.1 503 ") {
                        answer = try await get(admin, "/readyz")
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    #expect(answer.hasPrefix("HTTP/1.1 503 "), "\(answer)")
                    #expect(answer.hasSuffix("draining\n"))
                    #expect(try await get(admin, "/healthz").hasPrefix("HTTP/1.1 200 "))
                    try await stream.write("still")
                    var iterator = stream.makeAsyncIterator()
                    #expect(try await iterator.next().map { String(buffer: $0) } == "still")
                }
            }
        }
    }

    @Test("during the delay before the drain connections are still accepted, and readiness is gone")
    func drainDelay() async throws {
        try await withTCPServer(echo) { origin in
            try await withAdmin {
                $0.drainDelay = .seconds(30)
            } _: { proxy, admin, services in
                #expect(try await get(admin, "/readyz").hasPrefix("HTTP/1.1 200 "))
                await services.triggerGracefulShutdown()
                #expect(try await get(admin, "/readyz").hasPrefix("HTTP/1.1 503 "))
                try await through(proxy).withStream(to: origin) { stream in
                    try await stream.write("late")
                    var iterator = stream.makeAsyncIterator()
                    #expect(try await iterator.next().map { String(buffer: $0) } == "late")
                }
            }
        }
    }

    @Test("a name of somebody else's is refused, and so is a page of somebody else's")
    func names() async throws {
        try await withAdmin { _, admin, _ in
            #expect(try await get(admin, "/metrics", host: "attacker.example").hasPrefix("HTTP/1.1 421 "))
            let upgrade =
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            for (host, origin, status) in [
                ("\(admin)", "http://attacker.example", 403),
                ("attacker.example:\(admin.port)", "http://attacker.example:\(admin.port)", 421),
                ("\(admin)", "null", 403),
            ] {
                let answer = try await exchange(
                    admin, "GET /events HTTP/1.1\r\nHost: \(host)\r\nOrigin: \(origin)\r\n\(upgrade)\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            }
        }
    }

    @Test("the WebSocket tells the past once and then the present, as it changes")
    func feed() async throws {
        try await withTCPServer(echo) { origin in
            try await withAdmin { proxy, admin, _ in
                let client = WebSocketClient(configuration: .init { $0.proxy = .none })
                try await client.withConnection(to: "ws://\(admin)/events") { socket in
                    var iterator = socket.makeAsyncIterator()
                    let first = try #require(try await iterator.next()?.json)
                    #expect(first["history"] is [Any])
                    try await through(proxy).withStream(to: origin) { stream in
                        try await stream.write("x")
                        var open: Int?
                        for _ in 0..<10 where open != 1 {
                            let report = try await iterator.next()?.json?["report"] as? [String: Any]
                            open = report?["tunnelsOpen"] as? Int
                        }
                        #expect(open == 1)
                    }
                }
            }
        }
    }

    @Test("an address in use is an error that names it")
    func inUse() async throws {
        try await withTCPServer { _ in
        } _: { taken in
            let admin = AdminServer(
                .init { $0.address = ListenAddress(address: .v4(0x7F00_0001), port: Int(taken.port)) },
                for: ProxyServer())
            let error = await #expect(throws: WebSocketListenError.self) { try await admin.run() }
            #expect("\(error.map { "\($0)" } ?? "")".contains("\(taken.port)"))
        }
    }
}

extension WebSocketMessage {
    fileprivate var json: [String: Any]? {
        guard case .text(let text) = self else { return nil }
        return try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    }
}
