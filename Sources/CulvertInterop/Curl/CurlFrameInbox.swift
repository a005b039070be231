import NIOCore
import WebSocketWire

/// Puts the pieces of frames that libcurl hands over together to messages.
struct CurlFrameInbox: Sendable {
    var messages: [WebSocketMessage] = []
    var pongs: [ByteBuffer] = []
    private(set) var close: WebSocketClose?

    private let maxMessageBytes: Int
    private var message = ByteBuffer()
    private var isText = false
    private var control = ByteBuffer()

    init(maxMessageBytes: Int) {
        self.maxMessageBytes = maxMessageBytes
    }

    /// - Throws: `InteropFailure` for what a peer must not send.
    mutating func take(_ piece: CurlFramePiece) throws(InteropFailure) {
        let flags = piece.flags
        if flags.isDisjoint(with: [.close, .ping, .pong]) {
            // The continuations of some versions name no kind.
            if self.message.readableBytes == 0, !flags.isDisjoint(with: [.text, .binary]) {
                self.isText = flags.contains(.text)
            }
            self.message.writeImmutableBuffer(piece.bytes)
            guard self.message.readableBytes <= self.maxMessageBytes else {
                throw InteropFailure(.protocolViolation, "a message over \(self.maxMessageBytes) bytes")
            }
            if piece.isFrameEnd, !flags.contains(.more) { try self.finishMessage() }
        } else {
            self.control.writeImmutableBuffer(piece.bytes)
            if piece.isFrameEnd { try self.finishControl(flags) }
        }
    }

    private mutating func finishMessage() throws(InteropFailure) {
        let bytes = self.message
        self.message = ByteBuffer()
        guard self.isText else {
            self.messages.append(.binary(bytes))
            return
        }
        guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
            throw InteropFailure(.protocolViolation, "a text message that is not UTF-8")
        }
        self.messages.append(.text(text))
    }

    private mutating func finishControl(_ flags: CurlFrameFlags) throws(InteropFailure) {
        var payload = self.control
        self.control = ByteBuffer()
        if flags.contains(.pong) {
            self.pongs.append(payload)
        } else if flags.contains(.close) {
            guard payload.readableBytes > 0 else {
                self.close = WebSocketClose(code: .noStatusReceived)
                return
            }
            guard let code = payload.readInteger(as: UInt16.self) else {
                throw InteropFailure(.protocolViolation, "a close frame with one byte")
            }
            self.close = WebSocketClose(
                code: WebSocketCloseCode(rawValue: code), reason: String(buffer: payload))
        }
    }
}
