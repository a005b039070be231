import CulvertTunnel
import CulvertWebSocket
import HTTPTypes
import HTTPWire
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Runs a listener whose connections get the handlers, echoes on the WebSockets, and opens one or sends a text.
private func withListener<Result: Sendable>(
    _ addHandlers:
        @escaping @Sendable (any Channel, AsyncStream<WebSocketUpgrade>.Continuation) throws -> Void,
    _ body: @escaping @Sendable (Authority) async throws -> Result
) async throws -> Result {
    let (upgrades, incoming) = AsyncStream.makeStream(of: WebSocketUpgrade.self)
    let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try addHandlers(channel, incoming) }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            for await upgrade in upgrades {
                let socket = try await upgrade.accept()
                for try await message in socket { try await socket.send(message) }
            }
        }
        let result = try await body(
            Authority(host: "127.0.0.1", port: try #require(listener.localAddress?.port)))
        try await listener.close()
        group.cancelAll()
        return result
    }
}

private func expectEcho(from server: Authority) async throws {
    let client = WebSocketClient(configuration: .init { $0.proxy = .none })
    try await client.withConnection(to: "ws://\(server)/") { socket in
        try await socket.send("hello")
        #expect(try await socket.receive() == .text("hello"))
    }
}

/// Answers each run of bytes with their number, as some other protocol's handler.
private final class Counter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let count = Self.unwrapInboundIn(data).readableBytes
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: "\(count)")), promise: nil)
        context.close(promise: nil)
    }
}

/// Reads a head by itself, and hands the connection over when it asks for a WebSocket.
private final class HeadReader: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let incoming: AsyncStream<WebSocketUpgrade>.Continuation
    private var parser = HeadParser(mode: .strict, limits: .serving)
    private var buffer = ByteBuffer()

    init(_ incoming: AsyncStream<WebSocketUpgrade>.Continuation) {
        self.incoming = incoming
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.buffer.writeImmutableBuffer(Self.unwrapInboundIn(data))
        guard let head = try? self.parser.parseRequest(&self.buffer) else { return }
        let incoming = self.incoming
        let request = HTTPRequest(
            method: head.method, scheme: nil, authority: nil, path: head.target, headerFields: head.fields)
        let handler = WebSocketUpgradeHandler(request: request, leftover: self.buffer) { incoming.yield($0) }
        try? context.pipeline.syncOperations.addHandler(handler, position: .after(self))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

@Suite("The upgrade in a pipeline of one's own")
struct WebSocketUpgradeHandlerTests {
    @Test("requests that are no upgrade pass on, whole, to the handler behind; upgrades do not")
    func passOn() async throws {
        try await withListener { channel, incoming in
            let upgrade = WebSocketUpgradeHandler(otherRequests: .passOn) { incoming.yield($0) }
            try channel.pipeline.syncOperations.addHandlers([upgrade, Counter()])
        } _: { server in
            let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\nand a body"
            let answer = try await Dialer(.init { $0.proxy = .none }).withStream(to: server) { stream in
                try await stream.write(request)
                var answer = ByteBuffer()
                for try await bytes in stream { answer.writeImmutableBuffer(bytes) }
                return String(buffer: answer)
            }
            #expect(answer == "\(request.utf8.count)")
            try await expectEcho(from: server)
        }
    }

    @Test("a request that another handler read becomes a WebSocket")
    func handedOver() async throws {
        try await withListener { channel, incoming in
            try channel.pipeline.syncOperations.addHandler(HeadReader(incoming))
        } _: { server in
            try await expectEcho(from: server)
        }
    }

    @Test("a request that nobody answers gets 503 in the end")
    func unanswered() async throws {
        try await withListener { channel, _ in
            let options = WebSocketUpgradeOptions { $0.openTimeout = .seconds(2) }
            try channel.pipeline.syncOperations.addHandler(WebSocketUpgradeHandler(options) { _ in })
        } _: { server in
            let client = WebSocketClient(configuration: .init { $0.proxy = .none })
            let error = await #expect(throws: WebSocketError.self) {
                try await client.withConnection(to: "ws://\(server)/") { _ in }
            }
            guard case .upgradeRefused(let refusal)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(refusal.response.status == .serviceUnavailable)
        }
    }
}
