/// The harness' own origin: HTTP/1.1 and WebSocket, plain and in TLS, on two free ports of 127.0.0.1.
///
/// `GET /hello`; `GET /bytes/N` and `/chunked/N` (`OriginPattern`); `POST` or `PUT /sink` answers `N SHA256` of the
/// body; `/status/NNN`; `GET /headers` answers the request's fields as a JSON object of arrays. WebSockets:
/// `/echo`, `/close-4000`, `/silent`.
package final class Origin: Sendable {
    private let plain: OpenSSLServer
    private let secure: OpenSSLServer

    /// With the authority's leaf, for localhost.
    package convenience init(authority: CertificateAuthority) throws {
        try self.init(identity: authority.leaf)
    }

    /// As anyone else, such as one whose certificate has expired.
    package init(identity: ServerIdentity) throws {
        plain = try OpenSSLServer(identity: nil, handler: OriginConnection.serve)
        secure = try OpenSSLServer(identity: identity, handler: OriginConnection.serve)
    }

    package var plainPort: Int { plain.port }
    package var securePort: Int { secure.port }

    // Base URLs, without a slash at their end.
    package var http: String { "http://localhost:\(plainPort)" }
    package var https: String { "https://localhost:\(securePort)" }
    package var ws: String { "ws://localhost:\(plainPort)" }
    package var wss: String { "wss://localhost:\(securePort)" }

    /// Ends all connections, and returns when nothing is left of them.
    package func stop() {
        plain.stop()
        secure.stop()
    }
}
