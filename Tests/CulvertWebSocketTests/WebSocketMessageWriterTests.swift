import CulvertWebSocket
import NIOCore
import TestSupport
import Testing
import WebSocketWire

/// What a server saw of a connection: the first byte of each frame and its payload, unmasked.
private struct Frame: Equatable {
    var first: UInt8
    var payload: String
}

/// Reads frames until the peer's close frame, and answers that.
@Sendable
private func frames(_ peer: WebSocketTestPeer) async throws -> [Frame] {
    var frames: [Frame] = []
    var decoder = FrameDecoder(
        rules: FrameHeader.Rules(expectsMask: true, allowsRSV1: true, maxFrameBytes: .max))
    while let bytes = try await peer.connection.read() {
        decoder.append(bytes)
        while let header = try decoder.nextHeader() {
            var payload = ByteBuffer()
            decoder.readPayload(into: &payload)
            while decoder.payloadRemaining > 0, let more = try await peer.connection.read() {
                decoder.append(more)
                decoder.readPayload(into: &payload)
            }
            let first = header.opcode.rawValue | (header.fin ? 0x80 : 0)
            guard header.opcode != .close else {
                let code = payload.readInteger(as: UInt16.self) ?? 0
                try await peer.close(WebSocketCloseCode(rawValue: code))
                return frames + [Frame(first: first, payload: "\(code)")]
            }
            frames.append(Frame(first: first, payload: String(buffer: payload)))
        }
    }
    return frames
}

/// Runs `body` on a socket and returns every frame that the server saw of it.
private func framesSent(
    _ configure: @escaping @Sendable (inout WebSocketClient.Configuration) -> Void = { _ in },
    reading read: @escaping @Sendable (WebSocketTestPeer) async throws -> [Frame] = frames,
    _ body: @escaping @Sendable (WebSocket) async throws -> Void
) async throws -> [Frame] {
    let (results, result) = AsyncStream.makeStream(of: [Frame].self)
    try await withTCPServer { connection in
        defer { result.finish() }
        result.yield(try await read(try await WebSocketTestPeer.accept(connection)))
    } _: { server in
        let client = WebSocketClient(
            configuration: .init {
                $0.proxy = .none
                configure(&$0)
            })
        try? await client.withConnection(to: "ws://\(server)/") { try await body($0) }
    }
    var iterator = results.makeAsyncIterator()
    return await iterator.next() ?? []
}

@Suite("A message piece by piece")
struct WebSocketMessageWriterTests {
    private struct Failure: Error {}

    @Test("each write is one frame, and the end of the closure is the end of the message")
    func pieces() async throws {
        let sent = try await framesSent { socket in
            let result = try await socket.send(.text) { writer in
                try await writer.write("one ")
                try await writer.write("")
                try await writer.write(ByteBuffer(string: "two"))
                return 7
            }
            #expect(result == 7)
            try await socket.send(.binary) { _ in }
            try await socket.send("after")
        }
        #expect(
            sent == [
                Frame(first: 0x01, payload: "one "), Frame(first: 0x00, payload: ""),
                Frame(first: 0x00, payload: "two"), Frame(first: 0x80, payload: ""),
                Frame(first: 0x82, payload: ""), Frame(first: 0x81, payload: "after"),
                Frame(first: 0x88, payload: "1000"),
            ])
    }

    @Test("a character may be split between two writes")
    func splitCharacter() async throws {
        try await withEcho { socket in
            try await socket.send(.text) { writer in
                for byte in "a🦆é".utf8 { try await writer.write(ByteBuffer(bytes: [byte])) }
            }
            #expect(try await socket.receive() == .text("a🦆é"))
        }
    }

    @Test("bytes that are no text are refused, and the message can go on")
    func invalidText() async throws {
        try await withEcho { socket in
            try await socket.send(.text) { writer in
                try await writer.write("good")
                await #expect(throws: WebSocketError.self) {
                    try await writer.write(ByteBuffer(bytes: [0xC3, 0x28]))
                }
                try await writer.write("!")
            }
            #expect(try await socket.receive() == .text("good!"))
        }
    }

    @Test(
        "a text that ends inside a character, an error and a cancelled task close with 1011, never with a FIN"
    )
    func abandoned() async throws {
        let unfinished: @Sendable (WebSocket) async throws -> Void = { socket in
            let error = await #expect(throws: WebSocketError.self) {
                try await socket.send(.text) { try await $0.write(ByteBuffer(bytes: [0x61, 0xC3])) }
            }
            guard case .unsendable = error else { throw Unexpected(what: "\(String(describing: error))") }
        }
        let failed: @Sendable (WebSocket) async throws -> Void = { socket in
            await #expect(throws: Failure.self) {
                try await socket.send(.text) { writer in
                    try await writer.write("a")
                    throw Failure()
                }
            }
            let error = await #expect(throws: WebSocketError.self) { try await socket.send("late") }
            guard case .closed(let close) = error, close.code == .internalError else {
                throw Unexpected(what: "\(String(describing: error))")
            }
        }
        let cancelled: @Sendable (WebSocket) async throws -> Void = { socket in
            let task = Task {
                try await socket.send(.text) { writer in
                    try await writer.write("a")
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await writer.write("b")
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        for body in [unfinished, failed, cancelled] {
            let sent = try await framesSent { try await body($0) }
            #expect(sent.count == 2)
            #expect(sent.first?.first == 0x01)
            #expect(sent.last == Frame(first: 0x88, payload: "1011"))
        }
    }

    @Test("an error before the first write sends nothing, and the connection stays usable")
    func nothingWritten() async throws {
        let sent = try await framesSent { socket in
            await #expect(throws: Failure.self) { try await socket.send(.binary) { _ in throw Failure() } }
            try await socket.send("fine")
        }
        #expect(sent == [Frame(first: 0x81, payload: "fine"), Frame(first: 0x88, payload: "1000")])
    }

    @Test("other senders wait for the end of the message; pings do not")
    func exclusive() async throws {
        let sent = try await framesSent(
            { $0.closeTimeout = .seconds(1) },
            reading: { peer in
                // Frames with pongs for the pings among them, as a server sends them.
                var machine = peer.machine()
                var outbound = ByteBuffer()
                var seen: [Frame] = []
                while let bytes = try await peer.connection.read() {
                    machine.receive(bytes)
                    actions: while true {
                        switch machine.nextAction(outbound: &outbound) {
                        case .needMore: break actions
                        case .message(.text(let text)): seen.append(Frame(first: 1, payload: text))
                        case .message(.binary(let data)):
                            seen.append(Frame(first: 2, payload: String(buffer: data)))
                        case .ping: seen.append(Frame(first: 9, payload: ""))
                        case .pong, .fragment, .closing, .failed: break
                        }
                    }
                    try await peer.connection.write(outbound)
                    outbound.clear()
                    if machine.closeReceived { break }
                }
                return seen
            },
            { socket in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    try await socket.send(.text) { writer in
                        try await writer.write("first ")
                        group.addTask { try await socket.send("second") }
                        group.addTask { try await socket.send(.binary) { try await $0.write("third") } }
                        // The ping overtakes both: they are queued before it.
                        try await Task.sleep(for: .milliseconds(50))
                        try await socket.ping()
                        try await writer.write("and last")
                    }
                    try await group.waitForAll()
                }
            })
        #expect(sent.prefix(2) == [Frame(first: 9, payload: ""), Frame(first: 1, payload: "first and last")])
        #expect(Set(sent.dropFirst(2).map(\.payload)) == ["second", "third"])
    }

    @Test("a writer is of no use behind its message")
    func escaped() async throws {
        try await withEcho { socket in
            let writer = try await socket.send(.text) { writer in
                try await writer.write("x")
                return writer
            }
            let error = await #expect(throws: WebSocketError.self) { try await writer.write("y") }
            guard case .unsendable = error else { throw Unexpected(what: "\(String(describing: error))") }
            #expect(try await socket.receive() == .text("x"))
            try await socket.send("z")
            #expect(try await socket.receive() == .text("z"))
        }
    }

    @Test("writes suspend while the peer does not read, and a cancelled one sends nothing")
    func backPressure() async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        let accepted = Tally()
        let sent = try await framesSent(
            reading: { peer in
                var iterator = signals.makeAsyncIterator()
                await iterator.next()
                return try await frames(peer)
            },
            { socket in
                let sender = Task {
                    try await socket.send(.binary) { writer in
                        while true {
                            try await writer.write(ByteBuffer(repeating: 0x61, count: 1 << 20))
                            accepted.add()
                        }
                    }
                }
                let before = try await accepted.settled()
                #expect(before < 64)
                sender.cancel()
                await #expect(throws: CancellationError.self) { try await sender.value }
                signal.yield()
            })
        #expect(sent.count == accepted.value + 1)
        #expect(sent.last == Frame(first: 0x88, payload: "1011"))
    }

    @Test("the end of the connection is an error for the writer and for those who wait")
    func connectionLost() async throws {
        _ = try await framesSent(
            reading: { peer in
                _ = try await peer.connection.read()
                return []
            },
            { socket in
                let (begins, begun) = AsyncStream.makeStream(of: Void.self)
                let writing = Task {
                    try await socket.send(.binary) { writer in
                        begun.yield()
                        while true {
                            try await Task.sleep(for: .milliseconds(5))
                            try await writer.write("x")
                        }
                    }
                }
                var iterator = begins.makeAsyncIterator()
                await iterator.next()
                await #expect(throws: WebSocketError.self) { try await socket.send("waiting") }
                await #expect(throws: WebSocketError.self) { try await writing.value }
            })
    }

    private func withEcho(_ body: @escaping @Sendable (WebSocket) async throws -> Void) async throws {
        try await withTCPServer { connection in
            try await WebSocketTestPeer.accept(connection).echo()
        } _: { server in
            let client = WebSocketClient(configuration: .init { $0.proxy = .none })
            try await client.withConnection(to: "ws://\(server)/") { try await body($0) }
        }
    }
}
