/// The peer broke RFC 6455 or a limit; the connection is over.
public struct WebSocketProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The code our close frame carries (RFC 6455 §7.4.1).
    public let closeCode: WebSocketCloseCode
    /// Which rule was broken. Holds numbers from the peer, never its bytes; at most 123 bytes of ASCII, so that it
    /// can be the reason of a close frame.
    public let detail: String

    /// An error that `closeCode` answers. A `detail` longer than a close frame's reason holds is cut.
    public init(closeCode: WebSocketCloseCode, detail: String) {
        self.closeCode = closeCode
        var detail = detail
        while detail.utf8.count > 123 { detail.removeLast() }
        self.detail = detail
    }

    /// The rule and the code.
    public var description: String { "the WebSocket peer broke a rule: \(detail) (\(closeCode))" }

    /// 1002: a rule of framing.
    package static func violation(_ detail: String) -> Self {
        Self(closeCode: .protocolError, detail: detail)
    }
    /// 1007: text that is not UTF-8.
    package static func invalidText(_ detail: String) -> Self {
        Self(closeCode: .invalidPayload, detail: detail)
    }
    /// 1009: over a limit in bytes.
    package static func tooBig(_ detail: String) -> Self { Self(closeCode: .messageTooBig, detail: detail) }
    /// 1008: over a limit that is not in bytes.
    package static func policy(_ detail: String) -> Self { Self(closeCode: .policyViolation, detail: detail) }
}
