import CulvertWebSocket
import HTTPTypes
import NIOCore
import NIOPosix
import TestSupport
import Testing

@Suite("What carries a WebSocket", .timeLimit(.minutes(2)))
struct WebSocketTransportTests {
    private let client = WebSocketClient(configuration: .init { $0.proxy = .none })

    @Test("a user's own connected channel, with nothing lost that the server says behind its 101")
    func channel() async throws {
        let client = self.client
        try await withTCPServer { connection in
            let peer = try await WebSocketTestPeer.accept(
                connection, behind: WebSocketTestPeer.frame(.text("welcome")))
            #expect(peer.request.fields[.host] == "own.example")
            try await peer.echo()
        } _: { server in
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: Int(server.port)).get()
            try await client.withConnection(to: "ws://own.example/", over: .channel(channel)) { socket in
                #expect(try await socket.receive() == .text("welcome"))
                try await socket.send("through")
                #expect(try await socket.receive() == .text("through"))
            }
            #expect(!channel.isActive)
        }
    }

    @Test("a Unix socket at which nobody listens is named in the error")
    func missingUnixSocket() async throws {
        let error = await #expect(throws: WebSocketError.self) {
            try await self.client.withConnection(
                to: "ws://localhost/", over: .unixSocket("/nonexistent/socket")
            ) { _ in }
        }
        #expect("\(String(describing: error))".contains("/nonexistent/socket"))
    }

    @Test("the timeline names what was passed on the way")
    func timeline() async throws {
        try await withTCPServer { connection in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
            try await WebSocketTestPeer.accept(connection).echo()
        } _: { proxy in
            let client = WebSocketClient(
                configuration: try .init {
                    $0.proxy = .hops([try ProxyHop("http://localhost:\(proxy.port)")])
                })
            try await client.withConnection(to: "ws://feed.example/") { socket in
                let timeline = try #require(socket.timeline)
                let phases = timeline.tunnel.entries.map { "\($0.phase)" }
                #expect(phases.count == 3 && phases.prefix(2) == ["name lookup", "connect"])
                #expect(phases.last?.hasPrefix("CONNECT") == true)
                let sum = timeline.tunnel.entries.reduce(timeline.upgrade) { $0 + $1.duration }
                #expect(timeline.upgrade > .zero && sum <= timeline.total)
                #expect("\(timeline)".contains("ms in all"))
            }
        }
    }
}
