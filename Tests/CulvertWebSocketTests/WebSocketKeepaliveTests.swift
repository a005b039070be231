import CulvertWebSocket
import NIOCore
import TestSupport
import Testing

@Suite("Keepalive", .timeLimit(.minutes(2)))
struct WebSocketKeepaliveTests {
    private func withSocket(
        interval: Duration, timeout: Duration,
        server serve: @escaping @Sendable (WebSocketTestPeer) async throws -> Void,
        _ body: @escaping @Sendable (WebSocket) async throws -> Void
    ) async throws {
        try await withTCPServer { connection in
            try await serve(try await WebSocketTestPeer.accept(connection))
        } _: { server in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    $0.keepalive = .init(interval: interval, timeout: timeout)
                })
            try await client.withConnection(to: "ws://\(server)/") { try await body($0) }
        }
    }

    @Test("an idle peer is pinged, and its pong is the latency")
    func latency() async throws {
        try await self.withSocket(interval: .milliseconds(20), timeout: .seconds(60)) { peer in
            try await peer.echo()
        } _: { socket in
            while socket.latency == nil { try await Task.sleep(for: .milliseconds(5)) }
            let latency = try #require(socket.latency)
            #expect(latency > .zero && latency < .seconds(30))
        }
    }

    @Test("a peer that answers no ping is closed with 1011 and the reason")
    func timeout() async throws {
        let (closes, close) = AsyncStream.makeStream(of: WebSocketClose?.self)
        try await self.withSocket(interval: .milliseconds(50), timeout: .milliseconds(100)) { peer in
            // A machine whose pongs stay here.
            var machine = peer.machine()
            var unsent = ByteBuffer()
            while let bytes = try await peer.connection.read() {
                machine.receive(bytes)
                while true {
                    let action = machine.nextAction(outbound: &unsent)
                    if case .needMore = action { break }
                    if case .closing(let value) = action { close.yield(value) }
                }
            }
            close.finish()
        } _: { socket in
            let sending = Task { try await socket.ping() }
            let error = await #expect(throws: WebSocketError.self) { try await socket.receive() }
            guard case .keepaliveTimedOut(let duration) = error else {
                throw Unexpected(what: "\(String(describing: error))")
            }
            #expect(duration == .milliseconds(100))
            #expect(socket.closeStatus?.code == .abnormalClosure)
            await #expect(throws: WebSocketError.self) { try await sending.value }
            await #expect(throws: WebSocketError.self) { try await socket.send("late") }
        }
        var iterator = closes.makeAsyncIterator()
        let seen = await iterator.next() ?? nil
        #expect(seen?.code == .internalError)
        #expect(seen?.reason.contains("ping") == true)
    }

    @Test("whatever comes is life: a peer that only talks is never given up")
    func talker() async throws {
        try await self.withSocket(interval: .seconds(2), timeout: .seconds(2)) { peer in
            // One frame, byte by byte, for longer than interval and timeout together; no pong ever.
            try await peer.connection.write(ByteBuffer(bytes: [0x82, 30]))
            for _ in 0..<30 {
                try await Task.sleep(for: .milliseconds(200))
                try await peer.connection.write(ByteBuffer(bytes: [1]))
            }
            _ = try await peer.connection.readToEnd()
        } _: { socket in
            let message = try await socket.receive()
            #expect(message?.byteCount == 30)
        }
    }

    @Test("a slow consumer is not held against the peer")
    func slowConsumer() async throws {
        let client = WebSocketClient(
            configuration: .init {
                $0.proxy = .none
                $0.keepalive = .init(interval: .seconds(1), timeout: .seconds(1))
                $0.inboundWatermarks = WebSocketWatermarks(low: 0, high: 1000)
            })
        try await withTCPServer { connection in
            let peer = try await WebSocketTestPeer.accept(connection)
            for _ in 0..<2 { try await peer.send(.binary(ByteBuffer(repeating: 1, count: 4 << 20))) }
            try await peer.echo()
        } _: { server in
            try await client.withConnection(to: "ws://\(server)/") { socket in
                for _ in 0..<2 {
                    try await Task.sleep(for: .seconds(3))
                    #expect(try await socket.receive()?.byteCount == 4 << 20)
                }
            }
        }
    }
}
