import CulvertInterop
import Foundation
import NIOCore
import NIOPosix

/// A TCP origin that echoes, and obeys its client's commands about how to end.
///
/// Each read is looked at for one command: `FIN!` closes, `RST!` resets, `HALF!` sends its own end and goes on
/// reading, `LATE!` says nothing until the client has ended and then answers `after the end`. A client's end is
/// answered by closing.
final class ObedientOrigin: Sendable {
    private let channel: any Channel
    private let state = Locked((accepted: 0, resets: 0, bytes: [UInt8]()))

    let port: Int

    /// Connections accepted so far.
    var accepted: Int { self.state.withLock { $0.accepted } }
    /// Connections their client has reset.
    var resets: Int { self.state.withLock { $0.resets } }
    /// All bytes from all connections, in order of arrival.
    var received: String { self.state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

    /// `greeting` is sent at once when a connection is accepted.
    init(greeting: String = "") async throws {
        let state = self.state
        self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    state.withLock { $0.accepted += 1 }
                    try channel.pipeline.syncOperations.addHandler(
                        ObedientHandler(
                            greeting: greeting,
                            onBytes: { buffer in
                                state.withLock { $0.bytes.append(contentsOf: buffer.readableBytesView) }
                            },
                            onReset: { state.withLock { $0.resets += 1 } }))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.port = try (self.channel.localAddress?.port).unwrapped("the origin's port")
    }

    deinit { self.channel.close(promise: nil) }
}

private final class ObedientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let greeting: String
    let onBytes: (ByteBuffer) -> Void
    let onReset: () -> Void
    var answersLate = false
    var hasFinished = false

    init(greeting: String, onBytes: @escaping (ByteBuffer) -> Void, onReset: @escaping () -> Void) {
        self.greeting = greeting
        self.onBytes = onBytes
        self.onReset = onReset
    }

    func channelActive(context: ChannelHandlerContext) {
        if !self.greeting.isEmpty { self.send(self.greeting, context) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = self.unwrapInboundIn(data)
        self.onBytes(buffer)
        let text = String(buffer: buffer)
        if text.contains("FIN!") {
            context.close(promise: nil)
        } else if text.contains("RST!") {
            let channel = context.channel
            _ = (channel as? any SocketOptionProvider)?
                .setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .always { _ in channel.close(promise: nil) }
        } else if text.contains("HALF!") {
            self.hasFinished = true
            context.close(mode: .output, promise: nil)
        } else if text.contains("LATE!") {
            self.answersLate = true
        } else if !self.answersLate && !self.hasFinished {
            context.writeAndFlush(self.wrapOutboundOut(buffer), promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event as? ChannelEvent == .inputClosed else { return }
        if self.answersLate { self.send("after the end", context) }
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.onReset()
        context.close(promise: nil)
    }

    private func send(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
}
