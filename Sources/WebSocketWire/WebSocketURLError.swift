public import HTTPWire

/// A text is not the URL of a WebSocket. Never repeats the text: it may hold a password.
public struct WebSocketURLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which part is wrong.
    public enum Reason: Hashable, Sendable {
        /// Not `ws://` or `wss://`.
        case scheme
        /// Host or port are malformed.
        case authority(AuthorityError)
        /// User or password are malformed.
        case userinfo
        /// A fragment, which a WebSocket URL must not have (RFC 6455 §3).
        case fragment
        /// A percent sign without two hexadecimal digits behind it.
        case percentEncoding
        /// A space, a control character or another one that must be percent-encoded.
        case character
    }

    /// Which part is wrong.
    public let reason: Reason

    init(_ reason: Reason) {
        self.reason = reason
    }

    /// What is wrong, and what right looks like.
    public var description: String {
        switch reason {
        case .scheme: "a WebSocket URL starts with ws:// or wss://, such as wss://example.com/feed"
        case .authority(let error): "the host of the WebSocket URL: \(error)"
        case .userinfo:
            "user and password in a WebSocket URL are percent-encoded, such as wss://me:p%40ss@example.com/"
        case .fragment: "a WebSocket URL has no fragment; a '#' in path or query is written %23"
        case .percentEncoding:
            "a '%' in a WebSocket URL is followed by two hexadecimal digits; alone it is written %25"
        case .character: "spaces, control characters and \"<>\\^`{|} in a WebSocket URL are percent-encoded"
        }
    }
}
