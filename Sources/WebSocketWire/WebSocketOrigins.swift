package import HTTPTypes
internal import HTTPWire

/// Whose pages a server lets in: browsers send cookies along whatever page opens the WebSocket, and name the page's
/// origin in `Origin` (RFC 6455 §10.2). Who is no browser sends none, and is let in.
public enum WebSocketOrigins: Sendable, Hashable {
    /// Every page.
    case any
    /// Pages of the host and port that the request names in `Host`.
    case sameHost
    /// Pages of these origins, each as `https://example.com` or `http://example.com:8080`; also `null`, which a
    /// browser sends for local files.
    case listed([String])

    /// Why the request is refused; nil when it is not.
    package func objection(to fields: HTTPFields) -> ServerHandshakeRefusal? {
        let origins = fields[values: .origin]
        guard let origin = origins.first, self != .any else { return nil }
        guard origins.count == 1 else {
            return ServerHandshakeRefusal(.badRequest, "a request has at most one Origin field")
        }
        if self.admits(origin, host: fields[.host]) { return nil }
        return ServerHandshakeRefusal(.forbidden, "pages of this origin may not open this WebSocket")
    }

    private func admits(_ text: String, host: String?) -> Bool {
        let origin = SerializedOrigin(text)
        switch self {
        case .any:
            return true
        case .sameHost:
            // A proxy that ends TLS passes Host on as the browser sent it: the port is the origin's to supply.
            guard let origin, let host else { return false }
            return (try? Authority(host, defaultPort: origin.defaultPort)) == origin.authority
        case .listed(let admitted):
            return admitted.contains { $0 == text || (origin != nil && SerializedOrigin($0) == origin) }
        }
    }
}

/// An origin as browsers write it (RFC 6454 §6.2), normalised.
private struct SerializedOrigin: Hashable {
    let scheme: String
    let authority: Authority
    var defaultPort: UInt16 { Self.port(of: self.scheme) }

    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        self.scheme = text[..<colon].lowercased()
        let rest = text[colon...].dropFirst(3)
        guard let authority = try? Authority(rest, defaultPort: Self.port(of: self.scheme)) else {
            return nil
        }
        self.authority = authority
    }

    private static func port(of scheme: String) -> UInt16 {
        scheme == "https" || scheme == "wss" ? 443 : 80
    }
}
