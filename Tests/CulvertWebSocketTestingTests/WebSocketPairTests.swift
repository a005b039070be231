import CulvertWebSocketTesting
import NIOCore
import Testing

private struct Unexpected: Error {
    let error: WebSocketError?
}

@Suite("A pair of WebSockets in memory", .timeLimit(.minutes(1)))
struct WebSocketPairTests {
    @Test(
        "messages go both ways, whole, byte by byte, and compressed", arguments: [nil, 1, 7], [true, false])
    func messages(maxPieceBytes: Int?, isCompressed: Bool) async throws {
        let compression: WebSocketCompression = isCompressed ? .deflate() : .disabled
        try await withWebSocketPair(
            client: .init { $0.compression = compression }, server: .init { $0.compression = compression },
            faults: .init { $0.maxPieceBytes = maxPieceBytes }
        ) { pair in
            #expect((pair.client.compression != nil) == isCompressed)
            let text = String(repeating: "back and forth ", count: 50)
            try await pair.client.send(text)
            #expect(try await pair.server.receive() == .text(text))
            try await pair.server.send(ByteBuffer(repeating: 3, count: 1000))
            #expect(try await pair.client.receive() == .binary(ByteBuffer(repeating: 3, count: 1000)))
            #expect(try await pair.client.ping() >= .zero)
        }
    }

    @Test("the end of the closure closes both sides in good order, and one side can close before")
    func close() async throws {
        let server = try await withWebSocketPair { $0.server }
        #expect(server.closeStatus?.code == .normalClosure)
        try await withWebSocketPair { pair in
            try await pair.server.close(WebSocketCloseCode(rawValue: 4000), reason: "bye")
            let error = await #expect(throws: WebSocketError.self) { try await pair.client.receive() }
            guard case .closed(let close) = error else { throw Unexpected(error: error) }
            #expect(close.reason == "bye")
        }
    }

    @Test("time stands until it is advanced: then the keepalive gives up a peer that is not heard")
    func clock() async throws {
        try await withWebSocketPair(
            server: .init { $0.keepalive = nil },
            faults: .init { $0.onWrite = { bytes, side in side == .server ? .drop : .deliver(bytes) } }
        ) { pair in
            await pair.advance(by: .seconds(39))
            #expect(pair.client.closeStatus == nil)
            await pair.advance(by: .seconds(2))
            let error = await #expect(throws: WebSocketError.self) { try await pair.client.receive() }
            guard case .keepaliveTimedOut = error else { throw Unexpected(error: error) }
        }
    }

    @Test("a quiet peer that answers pings lives, and its latency is the clock's")
    func alive() async throws {
        try await withWebSocketPair { pair in
            for _ in 0..<10 { await pair.advance(by: .seconds(15)) }
            #expect(pair.client.latency == .zero)
            #expect(pair.client.closeStatus == nil && pair.server.closeStatus == nil)
        }
    }

    @Test("a cut is a lost connection on both sides")
    func cut() async throws {
        try await withWebSocketPair { pair in
            try await pair.cut()
            for socket in [pair.client, pair.server] {
                let error = await #expect(throws: WebSocketError.self) { try await socket.receive() }
                guard case .connectionLost = error else { throw Unexpected(error: error) }
            }
        }
    }

    @Test("corrupted bytes break the protocol, and the other side is told")
    func corrupted() async throws {
        try await withWebSocketPair(
            faults: .init {
                $0.onWrite = { bytes, side in
                    guard side == .server else { return .deliver(bytes) }
                    var bytes = bytes
                    bytes.setInteger(UInt8(0xFF), at: bytes.readerIndex)
                    return .deliver(bytes)
                }
            }
        ) { pair in
            try await pair.server.send("x")
            let error = await #expect(throws: WebSocketError.self) { try await pair.client.receive() }
            guard case .protocolViolation = error else { throw Unexpected(error: error) }
        }
    }

    @Test("a side that does not read stops the other by its watermarks, and loses nothing")
    func backPressure() async throws {
        try await withWebSocketPair(
            client: .init { $0.inboundWatermarks = WebSocketWatermarks(low: 1000, high: 10_000) }
        ) { pair in
            let sending = Task {
                for index in 0..<500 {
                    try await pair.server.send(ByteBuffer(repeating: UInt8(index % 256), count: 1000))
                }
            }
            for index in 0..<500 {
                let message = try await pair.client.receive()
                #expect(message == .binary(ByteBuffer(repeating: UInt8(index % 256), count: 1000)))
            }
            try await sending.value
        }
    }
}
