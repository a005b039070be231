public import CulvertTunnel
public import HTTPTypes
public import WebSocketWire

/// What can go wrong with a WebSocket, by phase and fault.
public enum WebSocketError: Error, Sendable {
    /// The URL, a header field or a subprotocol cannot be used. The caller's fault.
    case invalidRequest(String)
    /// No connection to the server: name lookup, proxies or TLS.
    case tunnel(TunnelError)
    /// The server answered the upgrade with something other than 101.
    case upgradeRefused(WebSocketUpgradeRefusal)
    /// The server redirected too often, from `wss` to `ws`, or to what is no WebSocket URL.
    case redirectRefused(String)
    /// The server's answer is no HTTP, or a 101 that breaks RFC 6455 §4.
    case upgradeFailed(String)
    /// The server did not answer the upgrade before the open deadline.
    case upgradeTimedOut(after: Duration)
    /// The peer broke RFC 6455 or a limit; it was told so with a close frame.
    case protocolViolation(WebSocketProtocolError)
    /// The peer closed with a code that tells of a failure, or the connection is closed and takes no more.
    case closed(WebSocketClose)
    /// The connection ended without a close frame.
    case connectionLost(String)
    /// The peer said nothing for the keepalive's interval, and then nothing to a ping for so long.
    case keepaliveTimedOut(after: Duration)
    /// The message, ping or close cannot be sent as it is. The caller's fault.
    case unsendable(String)
}

extension WebSocketError: CustomStringConvertible {
    /// One sentence for a person.
    public var description: String {
        switch self {
        case .invalidRequest(let detail): detail
        case .tunnel(let error): error.description
        case .upgradeRefused(let refusal): "upgrade: the server refused it: \(refusal.status)"
        case .redirectRefused(let detail): "upgrade: \(detail)"
        case .upgradeFailed(let detail): "upgrade: \(detail)"
        case .upgradeTimedOut(let duration): "upgrade: no answer from the server within \(duration)"
        case .protocolViolation(let error): "the peer broke the protocol: \(error)"
        case .closed(let close): "the connection is closed: \(close)"
        case .connectionLost(let detail): "the connection was lost: \(detail)"
        case .keepaliveTimedOut(let duration):
            "the connection is dead: no answer to a ping within \(duration)"
        case .unsendable(let detail): detail
        }
    }
}

extension WebSocketError {
    /// A connection that ends before the answer is a lost one, which may be there again; a wrong answer stays wrong.
    init(_ failure: HandshakeFailure) {
        switch failure.reason {
        case .closed: self = .connectionLost("in the upgrade: \(failure)")
        default: self = .upgradeFailed("\(failure)")
        }
    }
}

/// A server's answer to the upgrade that is no 101: the whole head and the start of the body.
public struct WebSocketUpgradeRefusal: Sendable, Hashable {
    /// Status and header fields as the server sent them.
    public let response: HTTPResponse
    /// The start of the body, as text.
    public let body: String
    /// Whether the body went on behind ``body``.
    public let isBodyTruncated: Bool

    /// The status code and reason.
    public var status: String { self.response.statusText }
}
