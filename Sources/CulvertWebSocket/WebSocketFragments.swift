public import WebSocketWire

/// What comes, piece by piece, as it arrives: for messages too large to hold.
///
/// ```swift
/// for try await fragment in socket.fragments {
///     try file.write(fragment.bytes)
///     if fragment.isLast { break }
/// }
/// ```
///
/// The size of a message is not limited here, because no more of it is held than the high watermark and what one
/// read brings: the peer waits for the consumer. Pieces are unmasked and inflated; a text is checked up to the last
/// byte of each. A cancelled wait loses nothing. The same one consumer as the socket's own sequence: the two may take
/// turns, and the sequence of messages skips the rest of a message that was begun here.
public struct WebSocketFragments: AsyncSequence, Sendable {
    /// A piece of a message.
    public typealias Element = WebSocketFragment

    let socket: WebSocket

    /// Iterates over the pieces that come.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(socket: self.socket)
    }

    /// Iterates over the pieces that come.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let socket: WebSocket

        /// The next piece; nil once the connection is closed in good order.
        ///
        /// - Throws: ``WebSocketError``; `CancellationError`.
        public mutating func next() async throws -> WebSocketFragment? {
            try await self.socket.receiveFragment()
        }
    }
}
