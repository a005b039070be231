import CulvertWebSocket
import MetricsTestKit
import NIOCore
import TestSupport
import Testing
import WebSocketWire

@Suite("Metrics of a client", .timeLimit(.minutes(2)))
struct WebSocketMetricsTests {
    private static let role = ("role", "client")

    private func total(_ name: String, _ dimensions: (String, String)..., in metrics: TestMetrics) -> Int64 {
        (try? metrics.expectCounter("culvert_websocket_\(name)_total", [Self.role] + dimensions))?.totalValue
            ?? -1
    }

    @Test("connections, messages, bytes and pings are counted")
    func traffic() async throws {
        let metrics = TestMetrics()
        let client = WebSocketClient(
            configuration: .init {
                $0.proxy = .none
                $0.metrics = metrics
            })
        try await withTCPServer { connection in
            try await WebSocketTestPeer.accept(connection).echo()
        } _: { server in
            try await client.withConnection(to: "ws://\(server)/") { socket in
                try await socket.send("12345")
                try await socket.send(WebSocketPreparedMessage(.text("123")))
                try await socket.send(.binary) { writer in
                    try await writer.write("12")
                    try await writer.write("34")
                }
                for _ in 0..<3 { _ = try await socket.receive() }
                try await socket.ping()
            }
        }
        #expect(self.total("opened", in: metrics) == 1)
        #expect(self.total("lost", in: metrics) == 0)
        for direction in [("direction", "in"), ("direction", "out")] {
            #expect(self.total("messages", direction, in: metrics) == 3)
            #expect(self.total("bytes", direction, in: metrics) == 12)
        }
        #expect(try metrics.expectTimer("culvert_websocket_ping_seconds", [Self.role]).values.count == 1)
        #expect(try metrics.expectTimer("culvert_websocket_open_seconds", [Self.role]).values.count == 1)
    }

    @Test("so are openings that fail, and connections that are lost")
    func failures() async throws {
        let metrics = TestMetrics()
        let client = WebSocketClient(
            configuration: .init {
                $0.proxy = .none
                $0.metrics = metrics
            })
        // Port 1: nobody listens.
        await #expect(throws: WebSocketError.self) {
            try await client.withConnection(to: "ws://127.0.0.1:1/") { _ in }
        }
        _ = try await withTCPServer { connection in
            _ = try await WebSocketTestPeer.accept(connection)
        } _: { server in
            try await client.withConnection(to: "ws://\(server)/") { socket in
                await #expect(throws: WebSocketError.self) { try await socket.receive() }
            }
        }
        #expect(self.total("open_failed", in: metrics) == 1)
        #expect(self.total("opened", in: metrics) == 1)
        #expect(self.total("lost", in: metrics) == 1)
    }
}
