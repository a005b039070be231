import NIOCore
import WebSocketWire

/// Makes of what the event loop hands over what the consumer asked for: whole messages or fragments, also by turns.
struct IncomingMessages {
    /// What became of the part of a message that has come.
    private enum Unfinished {
        /// Nobody saw it yet: a wait for the whole message may be cancelled, and gone on with.
        case kept
        /// It was delivered as fragments.
        case delivered
    }

    private var unfinished: Unfinished?
    private var content = ByteBuffer()

    /// The whole message that the fragment completes; nil when more has to come. The rest of a message whose start
    /// was delivered as fragments is skipped.
    mutating func join(_ fragment: WebSocketFragment) throws(WebSocketProtocolError) -> WebSocketMessage? {
        if self.unfinished == .delivered {
            if fragment.isLast { self.unfinished = nil }
            return nil
        }
        if fragment.isBeyondLimit { throw .tooBig("a message over the limit for whole messages") }
        self.content.writeImmutableBuffer(fragment.bytes)
        self.unfinished = fragment.isLast ? nil : .kept
        guard fragment.isLast else { return nil }
        defer { self.content = ByteBuffer() }
        switch fragment.kind {
        // Checked as it came.
        case .text: return .text(String(buffer: self.content))
        case .binary: return .binary(self.content)
        }
    }

    /// The next fragment, with what a wait for the whole message had gathered before it.
    mutating func fragment(_ item: MessageQueue.Item) -> WebSocketFragment {
        var fragment: WebSocketFragment
        switch item {
        case .message(let message): fragment = WebSocketFragment(message)
        case .fragment(let piece): fragment = piece
        }
        if self.unfinished == .kept {
            self.content.writeImmutableBuffer(fragment.bytes)
            fragment.bytes = self.content
            fragment.isFirst = true
            self.content = ByteBuffer()
        }
        self.unfinished = fragment.isLast ? nil : .delivered
        return fragment
    }
}
