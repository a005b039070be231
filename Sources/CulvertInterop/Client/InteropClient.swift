package import WebSocketWire

/// A WebSocket client under test, or one that another is held against.
package protocol InteropClient: Sendable {
    /// As the matrix shows it.
    var name: String { get }
    /// Of the client, and of the library beneath it.
    var version: String { get }
    /// The others are held against it where a connection must fail: they have to name the same cause.
    var isOracle: Bool { get }

    /// Why this client cannot do something at all; nil when it can.
    func lack(of feature: ClientFeature) -> String?

    /// Opens a WebSocket, hands it to the closure, and ends it when the closure returns or throws.
    ///
    /// - Throws: `InteropFailure` when it cannot be opened or used; whatever the closure throws.
    func withSocket(
        _ request: SocketRequest, _ body: @Sendable (any InteropSocket) async throws -> Void) async throws
}

/// What some clients cannot do.
package enum ClientFeature: String, Sendable, CaseIterable {
    /// Opening a WebSocket at all.
    case webSocket
    /// Sending a message in several frames.
    case fragments
    /// permessage-deflate (RFC 7692).
    case compression
    /// Pinging on demand and seeing the pong's payload.
    case ping
    /// Naming a close code.
    case closeCode
    /// A chain of more than one proxy.
    case chains
    /// HTTP/2 to the proxy.
    case http2Proxy
    /// A SOCKS proxy.
    case socks
    /// A proxy that asks for Digest.
    case digest
}

/// What to open, and how.
package struct SocketRequest: Sendable {
    /// `ws` or `wss`.
    package var url: String
    /// Nearest first; empty is direct.
    package var proxies: [ProxyAddress] = []
    /// PEM file with the authorities to trust, for the target and for proxies; nil is the system's.
    package var authority: String?
    package var subprotocols: [String] = []
    /// Offers permessage-deflate.
    package var offersCompression = false
    /// Over name lookup, proxies, TLS and upgrade.
    package var openTimeout: Duration = .seconds(10)
    /// The largest message that is accepted. 64 MiB: JSON around 16 MiB of text can grow it to three times as much.
    package var maxMessageBytes = 64 << 20

    package init(url: String) {
        self.url = url
    }
}

/// A proxy on the way.
package struct ProxyAddress: Sendable, Hashable {
    /// What is spoken with it.
    package enum Scheme: String, Sendable, Hashable, Codable {
        case http, https
        /// HTTP/2 over TLS.
        case http2
        case socks5h
    }

    package var scheme: Scheme
    package var host: String
    package var port: Int
    package var user: String?
    package var password: String?

    package init(_ scheme: Scheme, host: String, port: Int, user: String? = nil, password: String? = nil) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.user = user
        self.password = password
    }
}

/// An open WebSocket of some client. Used by one task at a time.
///
/// Every call throws `InteropFailure` when the connection ends or the client reports an error.
package protocol InteropSocket: Sendable {
    /// What the server chose of the subprotocols offered.
    var subprotocol: String? { get }
    /// permessage-deflate was agreed on.
    var isCompressed: Bool { get }

    func send(_ message: WebSocketMessage) async throws
    /// One text message in as many frames; a ping goes behind the first.
    func send(fragments: [String]) async throws
    /// The next whole message; nil once the peer's close came.
    func receive() async throws -> WebSocketMessage?
    /// Sends a ping and waits for the pong that carries the same payload; messages that come meanwhile are kept.
    func ping() async throws
    /// Closes, waits for the peer's close frame and tells it.
    func close(_ code: WebSocketCloseCode, reason: String) async throws -> WebSocketClose
}
