public import NIOCore

/// One whole message, as the application sees it: fragments joined, unmasked, text checked (RFC 6455 §5.6).
public enum WebSocketMessage: Sendable, Hashable {
    /// A text message. Its UTF-8 was checked when it came from the peer.
    case text(String)
    /// A binary message.
    case binary(ByteBuffer)

    /// The size of the payload in bytes; for text, the length of its UTF-8.
    public var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.readableBytes
        }
    }
}
