import NIOCore
import WebSocketWire

/// Who sends next: messages in their order, and while one is sent piece by piece, only its pieces.
///
/// Lives on the connection's event loop.
struct SendQueue {
    private var messages = CircularBuffer<SendTicket>()
    private var pieces = CircularBuffer<SendTicket>()
    private var active: MessageStream?
    /// A frame of the active stream is out: the peer waits for its end.
    private(set) var hasBegun = false

    /// Nothing waits, and no message is being sent piece by piece.
    var isEmpty: Bool { self.active == nil && self.messages.isEmpty }

    /// Whether this message is the one that is being sent piece by piece.
    func isActive(_ stream: MessageStream) -> Bool { self.active === stream }

    mutating func append(_ ticket: SendTicket) {
        switch ticket.content {
        case .message, .prepared, .stream: self.messages.append(ticket)
        case .piece: self.pieces.append(ticket)
        }
    }

    /// The ticket whose turn it is, taken out.
    mutating func next() -> SendTicket? {
        self.active == nil ? self.messages.popFirst() : self.pieces.popFirst()
    }

    mutating func begin(_ stream: MessageStream) {
        self.active = stream
        self.hasBegun = false
    }

    mutating func wrotePiece() {
        self.hasBegun = true
    }

    /// The active message is over. Returns the tickets of pieces that came too late.
    mutating func endStream() -> [SendTicket] {
        defer { self.pieces.removeAll() }
        self.active = nil
        return Array(self.pieces)
    }

    /// Takes a ticket out; false when it was not waiting.
    mutating func remove(_ ticket: SendTicket) -> Bool {
        if let index = self.messages.firstIndex(where: { $0 === ticket }) {
            self.messages.remove(at: index)
            return true
        }
        guard let index = self.pieces.firstIndex(where: { $0 === ticket }) else { return false }
        self.pieces.remove(at: index)
        return true
    }

    /// Takes out every ticket: the connection is over.
    mutating func removeAll() -> [SendTicket] {
        defer { self.messages.removeAll() }
        return self.endStream() + Array(self.messages)
    }
}
