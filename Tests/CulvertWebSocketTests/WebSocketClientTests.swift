import CulvertWebSocket
import HTTPTypes
import NIOCore
import TestSupport
import Testing

/// Runs a WebSocket server whose every connection is `serve`'s, and opens one to it.
private func withSocket<Result: Sendable>(
    _ configure: @escaping @Sendable (inout WebSocketClient.Configuration) -> Void = { _ in },
    server serve: @escaping @Sendable (WebSocketTestPeer) async throws -> Void,
    _ body: @escaping @Sendable (WebSocket) async throws -> Result
) async throws -> Result {
    try await withTCPServer { connection in
        try await serve(try await WebSocketTestPeer.accept(connection))
    } _: { server in
        let client = WebSocketClient(
            configuration: .init {
                $0.proxy = .none
                configure(&$0)
            })
        return try await client.withConnection(to: "ws://\(server)/") { try await body($0) }
    }
}

extension WebSocketTestPeer {
    /// The bytes of all messages that come before the close, which it answers.
    fileprivate func countToClose() async throws -> Int {
        var machine = self.machine()
        var (count, outbound) = (0, ByteBuffer())
        while let bytes = try await self.connection.read() {
            machine.receive(bytes)
            actions: while true {
                switch machine.nextAction(outbound: &outbound) {
                case .needMore: break actions
                case .message(let message): count += message.byteCount
                case .ping, .pong, .fragment: break
                case .failed(let error): throw error
                case .closing:
                    try await self.connection.write(outbound)
                    return count
                }
            }
        }
        throw Unexpected(what: "the end without a close behind \(count) bytes")
    }
}

@Sendable
private func echoServer(_ peer: WebSocketTestPeer) async throws {
    try await peer.echo()
}

@Suite("Messages of the WebSocket client")
struct WebSocketMessageTests {
    @Test("text and binary of every size class come back as they went")
    func sizes() async throws {
        try await withSocket(server: echoServer) { socket in
            for size in [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000] {
                let bytes = WebSocketMessage.binary(
                    ByteBuffer(bytes: (0..<size).map { UInt8(truncatingIfNeeded: $0) }))
                let text = WebSocketMessage.text(String(repeating: "ü", count: size / 2))
                try await socket.send(bytes)
                try await socket.send(text)
                #expect(try await socket.receive() == bytes)
                #expect(try await socket.receive() == text)
            }
        }
    }

    @Test("what the server says behind its 101 is not lost")
    func behindTheUpgrade() async throws {
        try await withTCPServer { connection in
            let peer = try await WebSocketTestPeer.accept(
                connection, behind: WebSocketTestPeer.frame(.text("welcome")))
            try await peer.echo()
        } _: { server in
            try await WebSocketClient(configuration: .init { $0.proxy = .none })
                .withConnection(to: "ws://\(server)/") { socket in
                    let first = try await socket.receive()
                    #expect(first == .text("welcome"))
                }
        }
    }

    @Test("a ping comes back as a duration, several at once too")
    func ping() async throws {
        try await withSocket(server: echoServer) { socket in
            async let first = socket.ping()
            async let second = socket.ping()
            let durations = try await [first, second]
            #expect(durations.allSatisfy { $0 > .zero && $0 < .seconds(5) })
        }
    }

    @Test("cancelling a receive loses no message")
    func cancelledReceive() async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        try await withSocket { peer in
            var iterator = signals.makeAsyncIterator()
            await iterator.next()
            try await peer.send(.text("kept"))
            try await peer.echo()
        } _: { socket in
            let receiving = Task { try await socket.receive() }
            receiving.cancel()
            await #expect(throws: CancellationError.self) { try await receiving.value }
            signal.yield()
            let message = try await socket.receive()
            #expect(message == .text("kept"))
        }
    }

    @Test("a consumer that does not read stops the sender by TCP")
    func inboundBackPressure() async throws {
        let sent = Tally()
        let count = 2000
        try await withSocket {
            $0.inboundWatermarks = WebSocketWatermarks(low: 16 * 1024, high: 64 * 1024)
        } server: { peer in
            let frame = try WebSocketTestPeer.frame(.binary(ByteBuffer(repeating: 5, count: 32 * 1024)))
            for _ in 0..<count {
                try await peer.connection.write(frame)
                sent.add()
            }
            try await peer.echo()
        } _: { socket in
            let before = try await sent.settled()
            #expect(before < count / 2, "\(before) of \(count) messages were taken with nobody reading")
            for _ in 0..<count { #expect(try await socket.receive()?.byteCount == 32 * 1024) }
        }
    }

    @Test("send suspends while the peer does not read, and a cancelled wait sends nothing")
    func outboundBackPressure() async throws {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        try await withSocket { peer in
            var iterator = signals.makeAsyncIterator()
            await iterator.next()
            try await peer.echo()
        } _: { socket in
            let accepted = Tally()
            let sender = Task {
                while true {
                    try await socket.send(ByteBuffer(repeating: 9, count: 1 << 20))
                    accepted.add()
                }
            }
            _ = try await accepted.settled()
            sender.cancel()
            await #expect(throws: CancellationError.self) { try await sender.value }
            signal.yield()
            for _ in 0..<accepted.value { #expect(try await socket.receive()?.byteCount == 1 << 20) }
            try await socket.send("last")
            #expect(try await socket.receive() == .text("last"))
        }
    }
}

@Suite("How a WebSocket ends")
struct WebSocketCloseTests {
    @Test("the end of the closure closes with 1000, and the server's last words are heard before")
    func normal() async throws {
        let (closes, close) = AsyncStream.makeStream(of: WebSocketClose?.self)
        try await withSocket { peer in
            close.yield(try await peer.echo())
        } _: { socket in
            try await socket.send("x")
            _ = try await socket.receive()
        }
        var iterator = closes.makeAsyncIterator()
        #expect(await iterator.next()??.code == .normalClosure)
    }

    @Test("an error and a cancelled task close with 1001", arguments: [false, true])
    func goingAway(isCancelled: Bool) async throws {
        struct Failure: Error {}
        let (closes, close) = AsyncStream.makeStream(of: WebSocketClose?.self)
        try await withTCPServer { connection in
            close.yield(try await WebSocketTestPeer.accept(connection).echo())
        } _: { server in
            let use = Task {
                let client = WebSocketClient(configuration: .init { $0.proxy = .none })
                try await client.withConnection(to: "ws://\(server)/") { socket in
                    if !isCancelled { throw Failure() }
                    withUnsafeCurrentTask { $0?.cancel() }
                    _ = try await socket.receive()
                }
            }
            if isCancelled {
                await #expect(throws: CancellationError.self) { try await use.value }
            } else {
                await #expect(throws: Failure.self) { try await use.value }
            }
            var iterator = closes.makeAsyncIterator()
            let code = await iterator.next()??.code
            #expect(code == .goingAway)
        }
    }

    @Test("what was sent before the end of the closure arrives at a server that starts to read only then")
    func lateServer() async throws {
        let (starts, start) = AsyncStream.makeStream(of: Void.self)
        let (totals, total) = AsyncStream.makeStream(of: Int.self)
        try await withSocket {
            // What the kernels take is a part of it.
            $0.outboundWatermarks = WebSocketWatermarks(low: 0, high: 64 << 20)
        } server: { peer in
            defer { total.finish() }
            var iterator = starts.makeAsyncIterator()
            await iterator.next()
            total.yield(try await peer.countToClose())
        } _: { socket in
            for _ in 0..<24 { try await socket.send(ByteBuffer(repeating: 1, count: 1 << 20)) }
            start.yield()
        }
        var iterator = totals.makeAsyncIterator()
        let received = await iterator.next()
        #expect(received == 24 << 20)
    }

    @Test(
        "the sequence ends on a good close and throws on a bad one",
        arguments: [
            (WebSocketCloseCode.normalClosure, true), (.goingAway, true), (.internalError, false),
            (WebSocketCloseCode(rawValue: 4000), false),
        ])
    func codes(code: WebSocketCloseCode, isGood: Bool) async throws {
        try await withSocket { peer in
            try await peer.send(.text("before"))
            try await peer.close(code, reason: "because")
            _ = try await peer.connection.readToEnd()
        } _: { socket in
            #expect(try await socket.receive() == .text("before"))
            if isGood {
                #expect(try await socket.receive() == nil)
            } else {
                let error = await #expect(throws: WebSocketError.self) { try await socket.receive() }
                guard case .closed(let close) = error else {
                    throw Unexpected(what: "\(String(describing: error))")
                }
                #expect(close == WebSocketClose(code: code, reason: "because"))
            }
            #expect(socket.closeStatus == WebSocketClose(code: code, reason: "because"))
            await #expect(throws: WebSocketError.self) { try await socket.send("late") }
        }
    }

    @Test("a connection that is cut is an error with 1006")
    func cut() async throws {
        try await withSocket { _ in
        } _: { socket in
            let error = await #expect(throws: WebSocketError.self) { try await socket.receive() }
            guard case .connectionLost = error else { throw Unexpected(what: "\(String(describing: error))") }
            #expect(socket.closeStatus?.code == .abnormalClosure)
        }
    }

    @Test("a server that does not answer the close is cut off at the timeout")
    func closeTimeout() async throws {
        let clock = ContinuousClock()
        let elapsed = try await withSocket {
            $0.closeTimeout = .milliseconds(200)
        } server: { peer in
            _ = try await peer.connection.readToEnd()
            try await Task.sleep(for: .seconds(5))
        } _: { _ in
            clock.now
        }.duration(to: clock.now)
        #expect(elapsed >= .milliseconds(150) && elapsed < .seconds(4))
    }

    @Test(
        "a peer that breaks the protocol is told its code",
        arguments: [
            ([0x81, 0x02, 0xC3, 0x28], WebSocketCloseCode.invalidPayload), ([0x83, 0x00], .protocolError),
            ([0xC1, 0x00], .protocolError), ([0x81, 0x80, 0, 0, 0, 0], .protocolError),
            ([0x82, 0x7F, 0, 0, 0, 0, 0x7F, 0, 0, 0], .messageTooBig),
        ] as [([UInt8], WebSocketCloseCode)])
    func violation(bytes: [UInt8], code: WebSocketCloseCode) async throws {
        let (closes, close) = AsyncStream.makeStream(of: WebSocketClose?.self)
        try await withSocket { peer in
            try await peer.connection.write(ByteBuffer(bytes: bytes))
            close.yield(try await peer.echo())
        } _: { socket in
            let error = await #expect(throws: WebSocketError.self) { try await socket.receive() }
            guard case .protocolViolation(let violation) = error else {
                throw Unexpected(what: "\(String(describing: error))")
            }
            #expect(violation.closeCode == code)
        }
        var iterator = closes.makeAsyncIterator()
        #expect(await iterator.next()??.code == code)
    }

    @Test("what cannot be sent is told, and the connection stays usable")
    func unsendable() async throws {
        try await withSocket(server: echoServer) { socket in
            await #expect(throws: WebSocketError.self) { try await socket.close(.noStatusReceived) }
            let long = String(repeating: "x", count: 124)
            await #expect(throws: WebSocketError.self) {
                try await socket.close(.normalClosure, reason: long)
            }
            try await socket.send("still open")
            #expect(try await socket.receive() == .text("still open"))
        }
    }
}

@Suite("The upgrade")
struct WebSocketUpgradeTests {
    private func failure(
        url: String? = nil,
        _ configure: @escaping @Sendable (inout WebSocketClient.Configuration) -> Void = { _ in },
        answer: @escaping @Sendable (TCPConnection) async throws -> Void
    ) async throws -> WebSocketError {
        try await withTCPServer(answer) { server in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    configure(&$0)
                })
            return try await #require(throws: WebSocketError.self) {
                try await client.withConnection(to: url ?? "ws://\(server)/") { _ in }
            }
        }
    }

    @Test("custom fields replace the defaults, and subprotocols are offered")
    func fields() async throws {
        try await withTCPServer { connection in
            let peer = try await WebSocketTestPeer.accept(connection) { $0.last }
            #expect(peer.request.fields[.init("Host")!] == "other.example")
            #expect(peer.request.fields[.origin] == "https://app.example")
            #expect(peer.request.fields[.authorization] == "Basic dTpwQHNz")
            #expect(peer.request.target == "/path?q=1")
            try await peer.echo()
        } _: { server in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    $0.headerFields = [.init("Host")!: "other.example", .origin: "https://app.example"]
                    $0.subprotocols = ["one", "two"]
                })
            try await client.withConnection(to: "ws://u:p%40ss@\(server)/path?q=1") { socket in
                #expect(socket.subprotocol == "two")
                #expect(socket.response.status.code == 101)
            }
        }
    }

    @Test("a refusal carries status, fields and body")
    func refused() async throws {
        let error = try await self.failure { connection in
            _ = try await connection.readHead()
            try await connection.write(
                "HTTP/1.1 404 Not Found\r\nX-Reason: nowhere\r\nContent-Length: 7\r\n\r\nno feed")
            try await connection.finish()
        }
        guard case .upgradeRefused(let refusal) = error else { throw Unexpected(what: "\(error)") }
        #expect(refusal.status == "404 Not Found")
        #expect(refusal.response.headerFields[.init("X-Reason")!] == "nowhere")
        #expect(refusal.body == "no feed")
    }

    @Test(
        "answers that are no upgrade",
        arguments: [
            "SMTP ready\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
        ])
    func malformed(answer: String) async throws {
        let error = try await self.failure { connection in
            _ = try await connection.readHead()
            try await connection.write(answer)
            try await connection.finish()
        }
        guard case .upgradeFailed = error else { throw Unexpected(what: "\(error)") }
    }

    @Test(
        "a connection that ends before the answer is a lost one",
        arguments: ["", "HTTP/1.1 101 Switching Pro"])
    func lostInUpgrade(start: String) async throws {
        let error = try await self.failure { connection in
            _ = try await connection.readHead()
            if !start.isEmpty { try await connection.write(start) }
            try await connection.finish()
        }
        guard case .connectionLost(let detail) = error else { throw Unexpected(what: "\(error)") }
        #expect(detail.hasPrefix("in the upgrade: the server closed the connection"))
    }

    @Test("a server that never answers meets the deadline")
    func silence() async throws {
        let error = try await self.failure({ $0.openTimeout = .seconds(3) }) { connection in
            _ = try await connection.readToEnd()
        }
        guard case .upgradeTimedOut = error else { throw Unexpected(what: "\(error)") }
    }

    @Test(
        "URLs that cannot be used",
        arguments: [
            "", "example.com", "ftp://x/", "ws://", "ws://x/#fragment", "ws://x:0/", "ws://a b/",
            "ws://127.1/",
        ])
    func badURL(url: String) async throws {
        let error = try await self.failure(url: url) { _ in }
        guard case .invalidRequest = error else { throw Unexpected(what: "\(error)") }
    }

    @Test("fields that belong to the handshake are refused")
    func reservedField() async throws {
        let error = try await self.failure({ $0.headerFields = [.init("Sec-WebSocket-Key")!: "x"] }) { _ in }
        guard case .invalidRequest = error else { throw Unexpected(what: "\(error)") }
    }

    @Test("ws:// through a proxy is a tunnel too")
    func plainThroughProxy() async throws {
        try await withTCPServer { connection in
            #expect(try await connection.readHead().hasPrefix("CONNECT feed.example:80 HTTP/1.1\r\n"))
            try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
            try await WebSocketTestPeer.accept(connection).echo()
        } _: { proxy in
            let client = WebSocketClient(
                configuration: .init { $0.proxy = .variables(["http_proxy": "http://\(proxy)"]) })
            try await client.withConnection(to: "ws://feed.example/") { socket in
                try await socket.send("through")
                #expect(try await socket.receive() == .text("through"))
                #expect(socket.route.hops.count == 1)
            }
        }
    }
}
