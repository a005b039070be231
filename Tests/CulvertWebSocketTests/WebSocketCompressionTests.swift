import CulvertWebSocket
import HTTPWire
import NIOCore
import TestSupport
import Testing
import WebSocketWire

@Suite("Compression on a connection")
struct WebSocketCompressionTests {
    /// Opens a socket to an echo server that accepts with `server`.
    private func withSocket(
        client: WebSocketCompression, server: WebSocketCompression,
        _ body: @escaping @Sendable (WebSocket) async throws -> Void
    ) async throws {
        try await withTCPServer { connection in
            try await WebSocketTestPeer.accept(connection, compression: server).echo()
        } _: { address in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    $0.compression = client
                })
            try await client.withConnection(to: "ws://\(address)/") { try await body($0) }
        }
    }

    @Test(
        "messages come back as they went, with any agreement",
        arguments: [
            WebSocketDeflateOptions(), .init { $0.incomingWindowBits = 9 },
            .init {
                $0.keepsIncomingContext = false
                $0.keepsOutgoingContext = false
            }, .init { $0.threshold = 0 },
        ])
    func echo(options: WebSocketDeflateOptions) async throws {
        try await self.withSocket(client: .deflate(options), server: .deflate()) { socket in
            let agreed = try #require(socket.compression)
            #expect(agreed.serverMaxWindowBits == options.incomingWindowBits)
            #expect(agreed.clientNoContextTakeover == !options.keepsOutgoingContext)
            for size in [0, 1, 126, 255, 256, 65_535, 65_536, 1_000_000] {
                let text = WebSocketMessage.text(String(repeating: "ü", count: size / 2))
                let bytes = WebSocketMessage.binary(
                    ByteBuffer(bytes: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }))
                for message in [text, bytes] {
                    try await socket.send(message)
                    #expect(try await socket.receive() == message)
                }
                try await socket.ping()
            }
        }
    }

    @Test("a message sent piece by piece is compressed as a whole")
    func pieces() async throws {
        try await self.withSocket(client: .deflate(), server: .deflate()) { socket in
            try await socket.send(.text) { writer in
                for index in 0..<1000 { try await writer.write("row \(index)\n") }
            }
            let expected = (0..<1000).map { "row \($0)\n" }.joined()
            #expect(try await socket.receive() == .text(expected))
        }
    }

    @Test(
        "without both sides' consent messages go plain",
        arguments: [
            (WebSocketCompression.disabled, WebSocketCompression.deflate()), (.deflate(), .disabled),
        ])
    func plain(client: WebSocketCompression, server: WebSocketCompression) async throws {
        try await self.withSocket(client: client, server: server) { socket in
            #expect(socket.compression == nil)
            try await socket.send(String(repeating: "x", count: 1000))
            #expect(try await socket.receive() == .text(String(repeating: "x", count: 1000)))
        }
    }

    @Test("a client compresses what is worth it")
    func wire() async throws {
        let (counts, count) = AsyncStream.makeStream(of: Int.self)
        try await withTCPServer { connection in
            let peer = try await WebSocketTestPeer.accept(connection, compression: .deflate())
            var machine = peer.machine()
            var outbound = ByteBuffer()
            var received = 0
            reading: while let bytes = try await connection.read() {
                received += bytes.readableBytes
                machine.receive(bytes)
                while true {
                    let action = machine.nextAction(outbound: &outbound)
                    if case .needMore = action { break }
                    if case .closing = action { break reading }
                }
            }
            count.yield(received)
            try await connection.write(outbound)
        } _: { server in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    $0.compression = .deflate()
                })
            try await client.withConnection(to: "ws://\(server)/") { socket in
                for _ in 0..<100 { try await socket.send(String(repeating: "hello, ", count: 1000)) }
            }
        }
        var iterator = counts.makeAsyncIterator()
        let received = try #require(await iterator.next())
        #expect(received < 20_000, "700,000 bytes of text took \(received)")
    }

    @Test("a bomb ends the connection with 1009, and other junk with 1007")
    func hostile() async throws {
        for (isBomb, code) in [(true, WebSocketCloseCode.messageTooBig), (false, .invalidPayload)] {
            try await withTCPServer { connection in
                let peer = try await WebSocketTestPeer.accept(connection, compression: .deflate())
                var frame = ByteBuffer(bytes: [0xC2, 0x01, 0x07])
                if isBomb {
                    var machine = peer.machine()
                    frame.clear()
                    try machine.send(.binary(ByteBuffer(repeating: 0, count: 64 << 20)), outbound: &frame)
                }
                try await connection.write(frame)
                try await peer.echo()
            } _: { server in
                let client = WebSocketClient(
                    configuration: .init {
                        $0.proxy = .none
                        $0.compression = .deflate()
                    })
                try await client.withConnection(to: "ws://\(server)/") { socket in
                    let error = await #expect(throws: WebSocketError.self) { try await socket.receive() }
                    guard case .protocolViolation(let violation) = error else {
                        throw Unexpected(what: "\(String(describing: error))")
                    }
                    #expect(violation.closeCode == code)
                }
            }
        }
    }

    @Test("an answer that does not keep to the offer fails the upgrade")
    func wrongAnswer() async throws {
        try await withTCPServer { connection in
            var head = ByteBuffer(string: try await connection.readHead())
            var parser = HeadParser(mode: .strict, limits: .serving)
            guard let request = try parser.parseRequest(&head) else { throw Unexpected(what: "no request") }
            let answer = "permessage-deflate; server_max_window_bits=12"
            try await connection.write(try ServerHandshake(request).accept(extensions: [answer]).response)
            _ = try await connection.readToEnd()
        } _: { server in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    $0.compression = .deflate(.init { $0.incomingWindowBits = 10 })
                })
            let error = await #expect(throws: WebSocketError.self) {
                try await client.withConnection(to: "ws://\(server)/") { _ in }
            }
            guard case .upgradeFailed(let detail) = error else {
                throw Unexpected(what: "\(String(describing: error))")
            }
            #expect(detail.contains("server_max_window_bits=10"))
        }
    }
}
