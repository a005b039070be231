public import NIOCore

/// What goes wrong on the wire between the two sides of a ``WebSocketPair``.
public struct WebSocketFaults: Sendable {
    /// One of the two.
    public enum Side: Sendable, Hashable, CaseIterable {
        case client, server
    }

    /// What becomes of bytes that a side has sent.
    public enum Fate: Sendable {
        /// These arrive; change them to corrupt them.
        case deliver(ByteBuffer)
        /// They never arrive, as behind a network that swallows them.
        case drop
        /// The connection is reset before they arrive.
        case cut
    }

    /// No more bytes than this arrive at a time, 1 for every byte alone; nil for all that were written at once.
    public var maxPieceBytes: Int?
    /// Decides on each write behind the opening, with the side that wrote. Nil lets all of them through.
    public var onWrite: (@Sendable (ByteBuffer, Side) -> Fate)?

    /// No faults.
    public init() {}

    /// No faults, changed by the closure.
    public init(_ configure: (inout WebSocketFaults) throws -> Void) rethrows {
        try configure(&self)
    }
}
