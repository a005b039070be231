import CulvertWebSocket
import NIOCore
import NIOPosix
import TestSupport
import Testing
import WebSocketWire

@Suite("A WebSocket used on its event loop", .timeLimit(.minutes(3)))
struct WebSocketEventLoopTests {
    /// Opens a socket to an echo server that starts to read after a while.
    private func withSocket(
        onLoop: Bool, serverWaits: Duration = .zero,
        _ body: @escaping @Sendable (WebSocket) async throws -> Void
    ) async throws {
        try await withTCPServer { connection in
            let peer = try await WebSocketTestPeer.accept(connection)
            try await Task.sleep(for: serverWaits)
            try await peer.echo()
        } _: { address in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    $0.runsOnEventLoop = onLoop
                    $0.outboundWatermarks = WebSocketWatermarks(low: 16 << 10, high: 64 << 10)
                })
            try await client.withConnection(to: "ws://\(address)/") { try await body($0) }
        }
    }

    @Test("the closure runs on the loop when that is asked for, and stays there", arguments: [true, false])
    func place(onLoop: Bool) async throws {
        try await self.withSocket(onLoop: onLoop) { socket in
            for number in 0..<3 {
                try await socket.send("\(number)")
                _ = try await socket.receive()
                #expect((MultiThreadedEventLoopGroup.currentEventLoop != nil) == onLoop)
            }
        }
    }

    @Test("what is sent in one go comes back in order", arguments: [true, false])
    func order(onLoop: Bool) async throws {
        try await self.withSocket(onLoop: onLoop) { socket in
            for number in 0..<500 { try await socket.send("\(number)") }
            for number in 0..<500 { #expect(try await socket.receive() == .text("\(number)")) }
        }
    }

    @Test("a server that does not read suspends the sender there too, and all arrives")
    func watermark() async throws {
        try await self.withSocket(onLoop: true, serverWaits: .milliseconds(300)) { socket in
            // More than the kernel takes: without the suspension all of it would wait in memory.
            let message = WebSocketMessage.binary(ByteBuffer(repeating: 7, count: 1 << 20))
            async let sending: Void = {
                for _ in 0..<24 { try await socket.send(message) }
            }()
            for _ in 0..<24 { #expect(try await socket.receive() == message) }
            try await sending
        }
    }

    @Test("a cancelled task sends nothing")
    func cancelled() async throws {
        try await self.withSocket(onLoop: true) { socket in
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await socket.send("lost") }
                }
            }
            try await socket.send("kept")
            #expect(try await socket.receive() == .text("kept"))
        }
    }

    @Test("sending on a closed connection is an error")
    func closed() async throws {
        try await self.withSocket(onLoop: true) { socket in
            try await socket.close(.normalClosure)
            while try await socket.receive() != nil {}
            await #expect(throws: WebSocketError.self) { try await socket.send("late") }
        }
    }
}
