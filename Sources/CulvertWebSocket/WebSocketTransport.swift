public import NIOCore

/// What carries a WebSocket's bytes in place of TCP and the proxies. A `wss` URL speaks TLS on top of it.
public enum WebSocketTransport: Sendable {
    /// A Unix domain socket at this path. The URL's host stays what `Host` and TLS tell the server.
    case unixSocket(String)
    /// A connected channel of the caller's, of which nothing was read yet. It is closed with the WebSocket.
    case channel(any Channel)
}
