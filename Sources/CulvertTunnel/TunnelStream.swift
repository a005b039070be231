public import NIOCore

/// An open stream to a target: an asynchronous sequence of the bytes that come, and ``write(_:)-(ByteBuffer)`` for those
/// that go.
///
/// The sequence ends when the far end half-closes; writing may go on. It has one consumer.
public struct TunnelStream: AsyncSequence, Sendable {
    /// A run of bytes as it arrived.
    public typealias Element = ByteBuffer

    private let inbound: NIOAsyncChannelInboundStream<ByteBuffer>
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

    init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    /// Writes bytes; suspends while the socket takes no more.
    public func write(_ bytes: ByteBuffer) async throws {
        try await self.outbound.write(bytes)
    }

    /// Writes text as UTF-8.
    public func write(_ text: String) async throws {
        try await self.write(ByteBuffer(string: text))
    }

    /// Half-closes: the far end sees the end of the stream, and may go on sending.
    public func finish() {
        self.outbound.finish()
    }

    /// Iterates over the bytes that come.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(inner: self.inbound.makeAsyncIterator())
    }

    /// Iterates over the bytes that come.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var inner: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator

        /// The next bytes; nil once the far end has half-closed.
        public mutating func next() async throws -> ByteBuffer? {
            try await self.inner.next()
        }
    }
}
