public import NIOCore
import NIOSSL

/// An open stream to a target: an asynchronous sequence of the bytes that come, and ``write(_:)-(ByteBuffer)`` for those
/// that go.
///
/// The sequence ends when the far end half-closes; writing may go on. It has one consumer.
public struct TunnelStream: AsyncSequence, Sendable {
    /// A run of bytes as it arrived.
    public typealias Element = ByteBuffer

    private let inbound: NIOAsyncChannelInboundStream<ByteBuffer>
    private let channel: any Channel

    init(inbound: NIOAsyncChannelInboundStream<ByteBuffer>, channel: any Channel) {
        self.inbound = inbound
        self.channel = channel
    }

    /// Writes bytes; returns once the system has taken them all, so that none is lost when the stream closes next.
    ///
    /// Cancelling a write that waits closes the stream: nobody could know how much of it went out.
    public func write(_ bytes: ByteBuffer) async throws {
        try await withTaskCancellationHandler {
            try await self.channel.writeAndFlush(bytes).get()
        } onCancel: {
            self.channel.close(promise: nil)
        }
    }

    /// Writes text as UTF-8.
    public func write(_ text: String) async throws {
        try await self.write(ByteBuffer(string: text))
    }

    /// Half-closes: the far end sees the end of the stream, and may go on sending.
    public func finish() async throws {
        try await self.channel.close(mode: .output).get()
    }

    /// Iterates over the bytes that come.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(inner: self.inbound.makeAsyncIterator())
    }

    /// Iterates over the bytes that come.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var inner: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator

        /// The next bytes; nil once the far end has half-closed.
        ///
        /// - Throws: ``TunnelError`` when the target ended TLS without saying so: the end may have been cut off.
        public mutating func next() async throws -> ByteBuffer? {
            do {
                return try await self.inner.next()
            } catch NIOSSLError.uncleanShutdown {
                throw TunnelError(
                    .connectionClosed, phase: .targetTLS, fault: .target,
                    detail: "the target ended TLS without close_notify; the end of the stream may be missing")
            }
        }
    }
}
