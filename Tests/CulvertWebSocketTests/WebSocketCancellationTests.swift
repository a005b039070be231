import CulvertWebSocket
import NIOCore
import TestSupport
import Testing

/// One test for each place where a caller waits.
@Suite("Cancelling a wait", .timeLimit(.minutes(2)))
struct WebSocketCancellationTests {
    enum Stage: CaseIterable, Sendable {
        case proxy, tls, upgrade
    }

    private func withSocket(
        _ configure: @escaping @Sendable (inout WebSocketClient.Configuration) -> Void = { _ in },
        server serve: @escaping @Sendable (WebSocketTestPeer) async throws -> Void,
        _ body: @escaping @Sendable (WebSocket) async throws -> Void
    ) async throws {
        try await withTCPServer { connection in
            try await serve(try await WebSocketTestPeer.accept(connection))
        } _: { server in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    configure(&$0)
                })
            try await client.withConnection(to: "ws://\(server)/") { try await body($0) }
        }
    }

    private func expectCancelled<Value: Sendable>(_ task: Task<Value, any Error>) async {
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test(
        "opening: the connection is closed, at the proxy, in TLS and in the upgrade",
        arguments: Stage.allCases)
    func opening(stage: Stage) async throws {
        let (starts, start) = AsyncStream.makeStream(of: Void.self)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        try await withTCPServer { connection in
            // The first words have come, and are never answered.
            _ = try await connection.read()
            start.yield()
            _ = try? await connection.readToEnd()
            end.yield()
        } _: { server in
            let client = WebSocketClient(
                configuration: try .init {
                    $0.proxy = stage == .proxy ? .hops([try ProxyHop("http://\(server)")]) : .none
                })
            let url =
                switch stage {
                case .proxy: "ws://feed.example/"
                case .tls: "wss://\(server)/"
                case .upgrade: "ws://\(server)/"
                }
            let opening = Task { try await client.withConnection(to: url) { _ in } }
            var started = starts.makeAsyncIterator()
            await started.next()
            await self.expectCancelled(opening)
            var ended = ends.makeAsyncIterator()
            await ended.next()
        }
    }

    @Test("receive and fragments: what comes later is there for the next call")
    func receiving() async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        try await self.withSocket { peer in
            var iterator = signals.makeAsyncIterator()
            for text in ["one", "two"] {
                await iterator.next()
                try await peer.send(.text(text))
            }
            try await peer.echo()
        } _: { socket in
            await self.expectCancelled(Task { try await socket.receive() })
            signal.yield()
            #expect(try await socket.receive() == .text("one"))
            await self.expectCancelled(
                Task {
                    var iterator = socket.fragments.makeAsyncIterator()
                    return try await iterator.next()
                })
            signal.yield()
            var iterator = socket.fragments.makeAsyncIterator()
            let fragment = try await iterator.next()
            #expect(fragment.map { String(buffer: $0.bytes) } == "two")
        }
    }

    @Test("a message that is there is delivered to a cancelled task too")
    func receivedAlready() async throws {
        try await self.withSocket { peer in
            try await peer.echo()
        } _: { socket in
            try await socket.send("x")
            // The pong comes behind the message.
            try await socket.ping()
            let receiving = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await socket.receive()
            }
            let message = try await receiving.value
            #expect(message == .text("x"))
        }
    }

    @Test("the turn of a message in pieces, and of a whole one: nothing is sent, and the one before goes on")
    func turns() async throws {
        try await self.withSocket { peer in
            try await peer.echo()
        } _: { socket in
            try await socket.send(.text) { writer in
                try await writer.write("first ")
                await self.expectCancelled(
                    Task { try await socket.send(.binary) { try await $0.write("never") } })
                await self.expectCancelled(Task { try await socket.send("never") })
                try await writer.write("message")
            }
            #expect(try await socket.receive() == .text("first message"))
            try await socket.send("second")
            #expect(try await socket.receive() == .text("second"))
        }
    }

    @Test("a message in pieces whose closure returned is ended, cancelled or not")
    func end() async throws {
        try await self.withSocket { peer in
            try await peer.echo()
        } _: { socket in
            let sending = Task {
                try await socket.send(.text) { writer in
                    try await writer.write("whole")
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            try await sending.value
            #expect(try await socket.receive() == .text("whole"))
        }
    }

    @Test("a ping: its pong finds nobody, the next one does")
    func ping() async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        try await self.withSocket { peer in
            var iterator = signals.makeAsyncIterator()
            await iterator.next()
            try await peer.echo()
        } _: { socket in
            await self.expectCancelled(Task { try await socket.ping() })
            signal.yield()
            try await socket.ping()
        }
    }

    @Test("close: the frame goes out of a cancelled task too")
    func close() async throws {
        let (closes, close) = AsyncStream.makeStream(of: WebSocketClose?.self)
        try await self.withSocket { peer in
            close.yield(try await peer.echo())
        } _: { socket in
            let closing = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await socket.close(WebSocketCloseCode(rawValue: 4001), reason: "told")
            }
            try await closing.value
            while try await socket.receive() != nil {}
        }
        var iterator = closes.makeAsyncIterator()
        let seen = await iterator.next() ?? nil
        #expect(seen == WebSocketClose(code: WebSocketCloseCode(rawValue: 4001), reason: "told"))
    }

    @Test("the end of a connection whose peer says nothing takes the close timeout, not longer")
    func shutDown() async throws {
        let (starts, start) = AsyncStream.makeStream(of: Void.self)
        try await withTCPServer { connection in
            let peer = try await WebSocketTestPeer.accept(connection)
            start.yield()
            try await Task.sleep(for: .seconds(600))
            _ = try await peer.connection.read()
        } _: { server in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    $0.closeTimeout = .milliseconds(100)
                })
            let use = Task {
                try await client.withConnection(to: "ws://\(server)/") { socket in
                    _ = try await socket.receive()
                }
            }
            var iterator = starts.makeAsyncIterator()
            await iterator.next()
            // The suite's time limit is what a wait for the peer would meet.
            await self.expectCancelled(use)
        }
    }
}
