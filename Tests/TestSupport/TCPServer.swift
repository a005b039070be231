package import HTTPWire
package import NIOCore
import NIOPosix
import Synchronization

/// Runs a TCP server on a free loopback port while `body` runs; each connection is served by `serve`.
///
/// What `serve` throws ends its connection only: a peer that leaves early is the subject of many tests.
package func withTCPServer<Result: Sendable>(
    _ serve: @escaping @Sendable (TCPConnection) async throws -> Void,
    _ body: @escaping @Sendable (Authority) async throws -> Result
) async throws -> Result {
    let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        // Read once a task has it: a connection that no task gets any more is dropped as it is.
        .childChannelOption(.autoRead, value: false)
        .bind(host: "127.0.0.1", port: 0) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(HoldingHandler())
                return channel
            }
        }
    let port = listener.channel.localAddress?.port ?? 0
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            try await withThrowingDiscardingTaskGroup { connections in
                try await listener.executeThenClose { clients in
                    for try await client in clients {
                        connections.addTask {
                            try? await withAsyncChannel(client) { inbound in
                                try await serve(TCPConnection(channel: client, inbound: inbound))
                            }
                        }
                    }
                    connections.cancelAll()
                }
            }
        }
        // Closed, not cancelled: an accepted connection whose wrapper nobody takes would trap.
        defer { listener.channel.close(promise: nil) }
        return try await body(Authority(host: "127.0.0.1", port: port))
    }
}

private func withAsyncChannel(
    _ channel: any Channel, _ body: (NIOAsyncChannelInboundStream<ByteBuffer>) async throws -> Void
) async throws {
    let wrapped = try await channel.eventLoop.submit {
        let wrapped = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        try channel.pipeline.syncOperations.handler(type: HoldingHandler.self).release()
        try channel.syncOptions?.setOption(.autoRead, value: true)
        return wrapped
    }.get()
    try await wrapped.executeThenClose { inbound, _ in try await body(inbound) }
}

/// Keeps what comes before a task has the connection: a FIN makes SwiftNIO read everything ahead of it, also where
/// reading is off.
private final class HoldingHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var context: ChannelHandlerContext?
    private var held: [NIOAny] = []
    private var inputIsClosed = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.held.append(data) }

    func channelReadComplete(context: ChannelHandlerContext) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            self.inputIsClosed = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Passes all of it on, to the handlers that are behind by now.
    func release() {
        guard let context else { return }
        for data in self.held { context.fireChannelRead(data) }
        if !self.held.isEmpty { context.fireChannelReadComplete() }
        if self.inputIsClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

/// One accepted connection, read by one task.
package final class TCPConnection: Sendable {
    package let channel: any Channel
    private let reader: Reader

    init(channel: any Channel, inbound: NIOAsyncChannelInboundStream<ByteBuffer>) {
        self.channel = channel
        self.reader = Reader(inbound)
    }

    /// The next bytes; nil at the peer's FIN.
    package func read() async throws -> ByteBuffer? {
        try await self.reader.next()
    }

    /// Everything up to the first empty line, which is included; what follows it stays.
    package func readHead() async throws -> String {
        try await self.reader.head()
    }

    /// Exactly so many bytes, fewer at the end.
    package func read(count: Int) async throws -> ByteBuffer {
        try await self.reader.exactly(count)
    }

    /// Everything up to the peer's FIN.
    package func readToEnd() async throws -> ByteBuffer {
        try await self.reader.exactly(.max)
    }

    package func write(_ text: String) async throws {
        try await self.write(ByteBuffer(string: text))
    }

    package func write(_ bytes: ByteBuffer) async throws {
        try await self.channel.writeAndFlush(bytes).get()
    }

    /// Half-closes.
    package func finish() async throws {
        try await self.channel.close(mode: .output).get()
    }

    private actor Reader {
        private let inbound: NIOAsyncChannelInboundStream<ByteBuffer>
        private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        private var waiting = ByteBuffer()

        init(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>) {
            self.inbound = inbound
            self.iterator = inbound.makeAsyncIterator()
        }

        func next() async throws -> ByteBuffer? {
            if self.waiting.readableBytes > 0 {
                defer { self.waiting = ByteBuffer() }
                return self.waiting
            }
            return try await self.fill() ? self.next() : nil
        }

        func head() async throws -> String {
            while true {
                let text = String(buffer: self.waiting)
                if let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) {
                    let head = text[..<end.upperBound]
                    self.waiting.moveReaderIndex(forwardBy: head.utf8.count)
                    return String(head)
                }
                guard try await self.fill() else { return text }
            }
        }

        func exactly(_ count: Int) async throws -> ByteBuffer {
            while self.waiting.readableBytes < count, try await self.fill() {}
            return self.waiting.readSlice(length: min(count, self.waiting.readableBytes)) ?? ByteBuffer()
        }

        private func fill() async throws -> Bool {
            var iterator = self.iterator
            guard let bytes = try await iterator.next(isolation: self) else { return false }
            self.iterator = iterator
            self.waiting.writeImmutableBuffer(bytes)
            return true
        }
    }
}
