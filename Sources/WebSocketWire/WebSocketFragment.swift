public import NIOCore

/// What kind of message is sent or received piece by piece.
public enum WebSocketMessageKind: Sendable, Hashable {
    /// UTF-8, also where a character is split between two pieces.
    case text
    /// Any bytes.
    case binary
}

/// A piece of a message, as it arrived: unmasked, inflated, and of a text the part that was checked so far.
///
/// Pieces follow the network, not the sender's frames.
public struct WebSocketFragment: Sendable, Hashable {
    /// Of the whole message.
    public var kind: WebSocketMessageKind
    /// May be empty. A text's may end inside a character.
    public var bytes: ByteBuffer
    /// The message begins with this piece.
    public var isFirst: Bool
    /// The message ends with this piece.
    public var isLast: Bool
    /// The message is known to be larger than the limit for whole messages.
    package var isBeyondLimit: Bool

    package init(
        kind: WebSocketMessageKind, bytes: ByteBuffer, isFirst: Bool, isLast: Bool,
        isBeyondLimit: Bool = false
    ) {
        self.kind = kind
        self.bytes = bytes
        self.isFirst = isFirst
        self.isLast = isLast
        self.isBeyondLimit = isBeyondLimit
    }

    /// A whole message in one piece.
    package init(_ message: WebSocketMessage) {
        switch message {
        case .text(let text):
            self.init(kind: .text, bytes: ByteBuffer(string: text), isFirst: true, isLast: true)
        case .binary(let bytes): self.init(kind: .binary, bytes: bytes, isFirst: true, isLast: true)
        }
    }
}
