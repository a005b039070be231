import NIOCore
import WebSocketWire

/// A caller that waits for the event loop to do something for it.
///
/// `@unchecked Sendable`: made by the caller, then touched on the connection's event loop only.
class WaitingTicket: @unchecked Sendable {
    var isCancelled = false
    private var continuation: CheckedContinuation<Void, any Error>?

    /// Waits until the ticket succeeds or fails. The closures run on the event loop, `start` before `cancel` or
    /// after it.
    func wait(
        on eventLoop: any EventLoop,
        start: @escaping @Sendable () -> Void,
        cancel: @escaping @Sendable () -> Void
    ) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                eventLoop.execute {
                    self.continuation = continuation
                    start()
                }
            }
        } onCancel: {
            eventLoop.execute(cancel)
        }
    }

    func succeed() {
        self.continuation?.resume()
        self.continuation = nil
    }

    func fail(_ error: any Error) {
        self.continuation?.resume(throwing: error)
        self.continuation = nil
    }
}

/// Something on its way out.
final class SendTicket: WaitingTicket, @unchecked Sendable {
    enum Content: Sendable {
        /// A whole message, in one frame.
        case message(WebSocketMessage)
        /// A whole message whose frame is made for many.
        case prepared(WebSocketPreparedMessage)
        /// The turn of a message that is sent piece by piece.
        case stream(MessageStream)
        /// The next piece of such a message, in one frame.
        case piece(ByteBuffer, MessageStream)
    }

    let content: Content

    init(_ content: Content) {
        self.content = content
    }
}

/// One ping that waits for its pong.
final class PingTicket: WaitingTicket, @unchecked Sendable {
    var payload = ByteBuffer()
    var sentAt: NIODeadline?
}
