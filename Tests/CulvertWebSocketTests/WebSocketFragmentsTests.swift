import CulvertWebSocket
import NIOCore
import Synchronization
import TestSupport
import Testing

/// Opens a WebSocket to a server whose every connection is `serve`'s.
private func withSocket(
    _ configure: @escaping @Sendable (inout WebSocketClient.Configuration) -> Void = { _ in },
    server serve: @escaping @Sendable (WebSocketTestPeer) async throws -> Void,
    _ body: @escaping @Sendable (WebSocket) async throws -> Void
) async throws {
    let client = WebSocketClient(
        configuration: .init {
            $0.proxy = .none
            configure(&$0)
        })
    let compression = client.configuration.compression
    try await withTCPServer { connection in
        try await serve(try await WebSocketTestPeer.accept(connection, compression: compression))
    } _: { server in
        try await client.withConnection(to: "ws://\(server)/") { try await body($0) }
    }
}

/// The head of a server's binary frame that is too large for a shorter one.
private func largeFrameHead(count: Int) -> ByteBuffer {
    var head = ByteBuffer()
    head.writeMultipleIntegers(UInt8(0x82), UInt8(127), UInt64(count))
    return head
}

@Suite("A large message piece by piece", .timeLimit(.minutes(2)))
struct WebSocketFragmentsTests {
    @Test("a message is delivered while the rest of its one frame has not come")
    func asItArrives() async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        try await withSocket { peer in
            var iterator = signals.makeAsyncIterator()
            try await peer.connection.write(ByteBuffer(bytes: [0x82, 8]))
            for piece in ["ab", "cd", "efgh"] {
                try await peer.connection.write(ByteBuffer(string: piece))
                await iterator.next()
            }
            try await peer.echo()
        } _: { socket in
            var iterator = socket.fragments.makeAsyncIterator()
            for piece in ["ab", "cd", "efgh"] {
                let fragment = try await iterator.next()
                #expect(fragment.map { String(buffer: $0.bytes) } == piece)
                #expect(fragment?.isFirst == (piece == "ab"))
                #expect(fragment?.isLast == (piece == "efgh"))
                signal.yield()
            }
        }
    }

    @Test("the start of a message that came before anybody asked for fragments is in the first")
    func begunBefore() async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        let (starts, started) = AsyncStream.makeStream(of: Void.self)
        try await withSocket { peer in
            var iterator = signals.makeAsyncIterator()
            try await peer.connection.write(ByteBuffer(bytes: [0x01, 0x02, 0x61, 0xC3, 0x89, 0x00]))
            // The pong shows that what came before the ping was looked at.
            _ = try await peer.connection.read()
            started.yield()
            await iterator.next()
            try await peer.connection.write(ByteBuffer(bytes: [0x80, 0x01, 0xA9]))
            try await peer.send(.text("whole"))
            try await peer.echo()
        } _: { socket in
            var start = starts.makeAsyncIterator()
            await start.next()
            var iterator = socket.fragments.makeAsyncIterator()
            let first = try await iterator.next()
            #expect(first.map { Array($0.bytes.readableBytesView) } == [0x61, 0xC3])
            #expect(first?.kind == .text)
            signal.yield()
            let last = try await iterator.next()
            #expect(last.map { Array($0.bytes.readableBytesView) } == [0xA9])
            let whole = try await iterator.next()
            #expect(whole.map { String(buffer: $0.bytes) } == "whole")
            #expect(whole?.isFirst == true && whole?.isLast == true)
        }
    }

    @Test(
        "fragments have no limit but the consumer's pace; whole messages keep theirs",
        arguments: [true, false])
    func limit(isStreamed: Bool) async throws {
        let size = 8 << 20
        let (closes, close) = AsyncStream.makeStream(of: WebSocketClose?.self)
        try await withSocket {
            $0.limits.maxMessageBytes = 1 << 20
        } server: { peer in
            try await peer.connection.write(largeFrameHead(count: size))
            let piece = ByteBuffer(repeating: 7, count: 1 << 16)
            if isStreamed { for _ in 0..<(size >> 16) { try await peer.connection.write(piece) } }
            close.yield(try await peer.echo())
        } _: { socket in
            if isStreamed {
                var count = 0
                for try await fragment in socket.fragments {
                    count += fragment.bytes.readableBytes
                    if fragment.isLast { break }
                }
                #expect(count == size)
            } else {
                let error = await #expect(throws: WebSocketError.self) { try await socket.receive() }
                guard case .protocolViolation(let violation) = error else {
                    throw Unexpected(what: "\(String(describing: error))")
                }
                #expect(violation.closeCode == .messageTooBig)
                await #expect(throws: WebSocketError.self) { try await socket.receive() }
                await #expect(throws: WebSocketError.self) { try await socket.send("late") }
            }
        }
        var iterator = closes.makeAsyncIterator()
        let code = await iterator.next()??.code
        #expect(code == (isStreamed ? .normalClosure : .messageTooBig))
    }

    @Test("whole messages and fragments take turns; the rest of a message begun as fragments is skipped")
    func turns() async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        try await withSocket { peer in
            var iterator = signals.makeAsyncIterator()
            try await peer.connection.write(ByteBuffer(bytes: [0x02, 0x01, 0x61]))
            await iterator.next()
            try await peer.connection.write(ByteBuffer(bytes: [0x80, 0x01, 0x62]))
            try await peer.send(.text("next"))
            try await peer.connection.write(ByteBuffer(bytes: [0x01, 0x01, 0x63]))
            await iterator.next()
            try await peer.connection.write(ByteBuffer(bytes: [0x80, 0x01, 0x64]))
            try await peer.echo()
        } _: { socket in
            var iterator = socket.fragments.makeAsyncIterator()
            let start = try await iterator.next()
            #expect(start.map { String(buffer: $0.bytes) } == "a")
            signal.yield()
            #expect(try await socket.receive() == .text("next"))
            // A wait for the whole message that is cancelled when a part has come keeps the part.
            let waiting = Task { try await socket.receive() }
            try await Task.sleep(for: .milliseconds(50))
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            signal.yield()
            var text = ""
            repeat {
                guard let fragment = try await iterator.next() else { break }
                text += String(buffer: fragment.bytes)
                if fragment.isLast { break }
            } while true
            #expect(text == "cd")
        }
    }

    @Test("a text is checked as it comes, before its end")
    func invalidText() async throws {
        let (closes, close) = AsyncStream.makeStream(of: WebSocketClose?.self)
        try await withSocket { peer in
            try await peer.connection.write(ByteBuffer(bytes: [0x81, 0x08, 0x61, 0x62]))
            try await peer.connection.write(ByteBuffer(bytes: [0xC3, 0x28]))
            close.yield(try await peer.echo())
        } _: { socket in
            await #expect(throws: WebSocketError.self) {
                for try await fragment in socket.fragments { #expect(!fragment.isLast) }
            }
        }
        var iterator = closes.makeAsyncIterator()
        let code = await iterator.next()??.code
        #expect(code == .invalidPayload)
    }

    @Test("a message that inflates to a thousand times its size waits, deflated, for a slow consumer")
    func inflated() async throws {
        let size = 64 << 20
        try await withSocket {
            $0.compression = .deflate(.init { $0.maxRatio = nil })
            $0.limits.maxMessageBytes = 1 << 20
            $0.inboundWatermarks = WebSocketWatermarks(low: 1 << 16, high: 1 << 18)
        } server: { peer in
            var machine = peer.machine()
            var outbound = ByteBuffer()
            let piece = ByteBuffer(repeating: 7, count: 1 << 20)
            for index in 0..<(size >> 20) {
                try machine.send(
                    fragment: piece, opcode: .binary, fin: index == (size >> 20) - 1, outbound: &outbound)
            }
            try await peer.connection.write(outbound)
            _ = try await peer.connection.readToEnd()
        } _: { socket in
            var (count, largest) = (0, 0)
            for try await fragment in socket.fragments {
                count += fragment.bytes.readableBytes
                largest = max(largest, fragment.bytes.readableBytes)
                if fragment.isLast { break }
            }
            #expect(count == size)
            #expect(largest <= 4 << 20)
        }
    }

    @Test("what was received before the connection was lost is delivered before the error")
    func lost() async throws {
        let count = 100
        try await withSocket {
            $0.inboundWatermarks = WebSocketWatermarks(low: 0, high: 1)
        } server: { peer in
            for index in 0..<count { try await peer.send(.text("\(index)")) }
        } _: { socket in
            try await Task.sleep(for: .milliseconds(100))
            for index in 0..<count { #expect(try await socket.receive() == .text("\(index)")) }
            let error = await #expect(throws: WebSocketError.self) { try await socket.receive() }
            guard case .connectionLost = error else { throw Unexpected(what: "\(String(describing: error))") }
        }
    }
}
