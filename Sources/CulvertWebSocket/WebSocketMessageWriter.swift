public import NIOCore
import WebSocketWire

/// Writes one message piece by piece, inside the closure of ``WebSocket/send(_:_:)``.
public struct WebSocketMessageWriter: Sendable {
    private let stream: MessageStream
    private let socket: WebSocket

    init(_ stream: MessageStream, _ socket: WebSocket) {
        self.stream = stream
        self.socket = socket
    }

    /// Sends the next bytes of the message as one frame; suspends while more than the high watermark waits for the
    /// socket. A cancelled wait sends nothing.
    ///
    /// - Throws: ``WebSocketError/unsendable(_:)`` for bytes that no valid text could go on with, of which none is
    ///   sent, and behind the message's end; another ``WebSocketError`` when the connection is closed;
    ///   `CancellationError`.
    public func write(_ bytes: ByteBuffer) async throws {
        try await self.socket.wait(for: SendTicket(.piece(bytes, self.stream)))
    }

    /// Sends the next part of the message as one frame.
    public func write(_ text: String) async throws {
        try await self.write(ByteBuffer(string: text))
    }
}

/// The identity of a message that is sent piece by piece.
final class MessageStream: Sendable {
    let opcode: WebSocketOpcode

    init(_ kind: WebSocketMessageKind) {
        switch kind {
        case .text: self.opcode = .text
        case .binary: self.opcode = .binary
        }
    }
}
