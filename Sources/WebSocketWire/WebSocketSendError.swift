/// The caller asked for a frame that may not be sent now, or never; nothing was written.
package enum WebSocketSendError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A close frame was sent or the connection is over: no frame may follow (RFC 6455 §5.5.1).
    case closed
    /// A fragmented message is being sent: only its fragments and control frames may come (§5.4).
    case messageInProgress
    /// A continuation without a message that it continues.
    case noMessageInProgress
    /// Fragments of one message must keep its kind, and a message is text or binary.
    case wrongOpcode
    /// The payload of a control frame is longer than 125 bytes (§5.5), the reason of a close longer than 123.
    case controlTooLong(Int)
    /// The fragments of a text message are not UTF-8 (§5.6).
    case invalidUTF8
    /// This code may not stand in a close frame (§7.4.1).
    case invalidCloseCode(WebSocketCloseCode)
    /// A close frame without a code cannot carry a reason.
    case reasonWithoutCode

    package var description: String {
        switch self {
        case .closed: "the WebSocket is closed"
        case .messageInProgress: "another message is being sent in fragments"
        case .noMessageInProgress: "a continuation without a message that it continues"
        case .wrongOpcode: "a message is text or binary, and its fragments keep the kind"
        case .controlTooLong(let count): "a control frame's content of \(count) bytes is too long"
        case .invalidUTF8: "text that is not UTF-8"
        case .invalidCloseCode(let code): "close code \(code.rawValue) may not be sent"
        case .reasonWithoutCode: "a close reason needs a code"
        }
    }
}
