package import NIOCore

extension ByteBuffer {
    /// The same bytes; in memory of their own where they would keep alive much more than they are.
    package var detached: ByteBuffer {
        self.storageCapacity > 2 * self.readableBytes + 64 ? ByteBuffer(buffer: self) : self
    }
}

extension WebSocketMessage {
    /// The same message, fit to be kept: it pins no buffer that was received.
    package var detached: WebSocketMessage {
        switch self {
        case .text: self
        case .binary(let bytes): .binary(bytes.detached)
        }
    }
}
