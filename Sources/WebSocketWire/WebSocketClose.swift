internal import NIOCore

/// How a connection ended: the code and reason of a close frame, or a report that there was none
/// (RFC 6455 §7.1.5, §7.1.6).
public struct WebSocketClose: Sendable, Hashable, CustomStringConvertible {
    /// The peer's code; 1005 when its frame held none, 1006 when no close frame came.
    public var code: WebSocketCloseCode
    /// The peer's words, at most 123 bytes of UTF-8. Input from the network: escape it before logging.
    public var reason: String

    /// A code with an optional reason.
    public init(code: WebSocketCloseCode, reason: String = "") {
        self.code = code
        self.reason = reason
    }

    /// The code, and the reason with control characters escaped.
    public var description: String {
        reason.isEmpty ? code.description : "\(code): \(reason.debugDescription)"
    }
}

extension WebSocketClose {
    /// Reads the payload of a close frame (RFC 6455 §5.5.1).
    init(payload: ByteBuffer) throws(WebSocketProtocolError) {
        var payload = payload
        guard payload.readableBytes > 0 else {
            self.init(code: .noStatusReceived)
            return
        }
        guard let number = payload.readInteger(as: UInt16.self) else {
            throw .violation("a close frame with a payload of one byte")
        }
        let code = WebSocketCloseCode(rawValue: number)
        guard code.mayBeSent else {
            throw .violation("close code \(number) may not be sent")
        }
        guard let reason = String(validating: payload.readableBytesView, as: UTF8.self) else {
            throw .invalidText("the reason of a close frame is not UTF-8")
        }
        self.init(code: code, reason: reason)
    }
}
