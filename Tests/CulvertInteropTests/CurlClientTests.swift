import Foundation
import NIOCore
import TestSupport
import Testing
import WebSocketWire

@testable import CulvertInterop

@Suite("libcurl as WebSocket client", .timeLimit(.minutes(2)))
struct CurlClientTests {
    /// The clients that are there: the second depends on the libcurl that runs.
    static let clients: [any InteropClient] =
        [LibcurlClient()] + (LibcurlWebSocketClient.absence == nil ? [LibcurlWebSocketClient()] : [])

    /// The system's, for a libcurl that was built for another system and looks elsewhere.
    static let authorities = ["/etc/ssl/certs/ca-certificates.crt"].first {
        FileManager.default.fileExists(atPath: $0)
    }

    /// Runs a server, and a closure with a client's socket to it.
    private func withSocket(
        _ client: any InteropClient, subprotocols: [String] = [],
        serving serve: @escaping @Sendable (TCPConnection) async throws -> Void,
        _ body: @escaping @Sendable (any InteropSocket) async throws -> Void
    ) async throws {
        try await withTCPServer(serve) { authority in
            var request = SocketRequest(url: "ws://\(authority)/echo")
            request.subprotocols = subprotocols
            try await client.withSocket(request, body)
        }
    }

    @Sendable private static func echo(_ connection: TCPConnection) async throws {
        try await WebSocketTestPeer.accept(connection, choosing: { $0.last }).echo()
    }

    /// The failure a closure ends with.
    private func failure(_ body: () async throws -> Void) async -> Cause? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? InteropFailure)?.cause ?? .other
        }
    }

    @Test("messages of all sizes come back", arguments: Self.clients)
    func messages(client: any InteropClient) async throws {
        try await self.withSocket(client, serving: Self.echo) { socket in
            for size in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
                let message = WebSocketMessage.binary(CurlHTTPServer.pattern(size))
                try await socket.send(message)
                #expect(try await socket.receive() == message, "\(size)")
            }
            try await socket.send(.text("grüße"))
            #expect(try await socket.receive() == .text("grüße"))
        }
    }

    @Test("fragments, pings, subprotocol", arguments: Self.clients)
    func features(client: any InteropClient) async throws {
        try await self.withSocket(client, subprotocols: ["one", "two"], serving: Self.echo) { socket in
            #expect(socket.subprotocol == "two")
            #expect(!socket.isCompressed)
            try await socket.send(fragments: ["eins ", "zwei ", "drei"])
            #expect(try await socket.receive() == .text("eins zwei drei"))
            try await socket.send(.text("kept"))
            try await socket.ping()
            #expect(try await socket.receive() == .text("kept"))
        }
    }

    @Test("the close frame that comes back is told", arguments: Self.clients)
    func close(client: any InteropClient) async throws {
        for code in [1000, 3000, 4999] as [UInt16] {
            try await self.withSocket(client, serving: Self.echo) { socket in
                let close = try await socket.close(WebSocketCloseCode(rawValue: code), reason: "bye")
                #expect(close.code.rawValue == code)
            }
        }
    }

    @Test("a peer that closes first ends the messages, and gets its answer", arguments: Self.clients)
    func peerCloses(client: any InteropClient) async throws {
        let answered = CurlFlag()
        try await self.withSocket(
            client,
            serving: { connection in
                let peer = try await WebSocketTestPeer.accept(
                    connection, behind: WebSocketTestPeer.frame(.text("behind the head")))
                try await peer.close(WebSocketCloseCode(rawValue: 4001), reason: "enough")
                // A masked close frame has 8 bytes with a code.
                if try await connection.read(count: 8).readableBytes == 8 { answered.set() }
            },
            { socket in
                let (first, end) = (try await socket.receive(), try await socket.receive())
                #expect(first == .text("behind the head"))
                #expect(end == nil)
                for _ in 0..<100 where !answered.isSet { try await Task.sleep(for: .milliseconds(20)) }
                #expect(answered.isSet)
            })
    }

    @Test("an echo that differs is seen", arguments: Self.clients)
    func wrongEcho(client: any InteropClient) async throws {
        try await self.withSocket(
            client,
            serving: { connection in
                let peer = try await WebSocketTestPeer.accept(connection)
                try await peer.send(.text("something else"))
                _ = try await connection.readToEnd()
            },
            { socket in
                try await socket.send(.text("this"))
                #expect(try await socket.receive() != .text("this"))
            })
    }

    @Test("a refused upgrade has its status", arguments: Self.clients)
    func refusedUpgrade(client: any InteropClient) async throws {
        let cause = await self.failure {
            try await self.withSocket(
                client,
                serving: { connection in
                    _ = try await connection.readHead()
                    try await connection.write("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
                    _ = try await connection.readToEnd()
                }, { _ in })
        }
        #expect(cause == .upgradeRefused(status: 403))
    }

    @Test("a connection that ends early is lost", arguments: Self.clients)
    func lost(client: any InteropClient) async throws {
        let cause = await self.failure {
            try await self.withSocket(
                client, serving: { _ = try await WebSocketTestPeer.accept($0) },
                { _ = try await $0.receive() })
        }
        #expect(cause == .connectionLost)
    }

    @Test("a broken rule is the peer's fault")
    func violation() async throws {
        let cause = await self.failure {
            try await self.withSocket(
                LibcurlClient(),
                serving: { connection in
                    // Reserved bits.
                    _ = try await WebSocketTestPeer.accept(connection, behind: ByteBuffer(bytes: [0xF1, 0]))
                    _ = try await connection.readToEnd()
                }, { _ = try await $0.receive() })
        }
        #expect(cause == .protocolViolation)
    }

    @Test("a port nobody listens on, a name that does not exist", arguments: Self.clients)
    func unreachable(client: any InteropClient) async throws {
        let closed = try await withTCPServer(Self.echo) { "\($0)" }
        for (host, cause) in [(closed, Cause.connectFailed), ("nonexistent.invalid", .nameNotResolved)] {
            let found = await self.failure {
                try await client.withSocket(SocketRequest(url: "ws://\(host)/")) { _ in }
            }
            #expect(found == cause)
        }
    }

    @Test("a server that speaks no TLS fails it; one that says nothing is waited for no longer than said")
    func tls() async throws {
        for client in Self.clients {
            try await withTCPServer({ connection in
                try await connection.write("220 this is no TLS\r\n")
                _ = try await connection.readToEnd()
            }) { authority in
                var request = SocketRequest(url: "wss://\(authority)/")
                request.authority = Self.authorities
                let cause = await self.failure { try await client.withSocket(request) { _ in } }
                #expect(cause == .tlsFailed)
            }
            try await withTCPServer({ _ = try await $0.readToEnd() }) { authority in
                for scheme in ["ws", "wss"] {
                    var request = SocketRequest(url: "\(scheme)://\(authority)/")
                    request.authority = Self.authorities
                    request.openTimeout = .milliseconds(300)
                    let cause = await self.failure { try await client.withSocket(request) { _ in } }
                    #expect(cause == .timedOut)
                }
            }
        }
    }

    @Test("a task that waits for a message can be cancelled", arguments: Self.clients)
    func cancellation(client: any InteropClient) async throws {
        try await self.withSocket(client, serving: Self.echo) { socket in
            let task = Task { try await socket.receive() }
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            // The connection is as it was.
            try await socket.send(.text("still here"))
            #expect(try await socket.receive() == .text("still here"))
        }
    }

    @Test(
        "200 sockets opened and ended leave no thread and no descriptor", .enabled(if: ProcessCounts.areKnown)
    )
    func leaks() async throws {
        try await withTCPServer(Self.echo) { authority in
            let before = ProcessCounts()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    if index >= 10 { try await group.next() }
                    group.addTask {
                        try await LibcurlClient().withSocket(SocketRequest(url: "ws://\(authority)/")) {
                            socket in
                            try await socket.send(.text("\(index)"))
                            #expect(try await socket.receive() == .text("\(index)"))
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await ProcessCounts.fall(to: before)
        }
    }
}
