public import HTTPWire

/// Where a WebSocket is opened: `ws://` or `wss://`, an authority, a path with an optional query (RFC 6455 §3).
///
/// `http` and `https` are taken as other names of `ws` and `wss`. A user and password in the URL become a Basic
/// `Authorization` field; no text made from this value shows them.
public struct WebSocketURL: Hashable, Sendable, CustomStringConvertible {
    /// Whether the connection is wrapped in TLS: `wss`.
    public let isSecure: Bool
    /// Host and port; the port is 80 or 443 where the URL names none.
    public let authority: Authority
    /// What stands in the request line: the path, `/` when empty, and the query.
    public let resource: String
    var credentials: Credentials?

    /// Not even `dump` shows what is in it.
    struct Credentials: Hashable, CustomStringConvertible, CustomReflectable {
        let user: String
        let password: String

        var description: String { "<redacted>" }
        var customMirror: Mirror { Mirror(self, children: []) }
    }

    /// Parses a URL.
    ///
    /// Characters outside ASCII in path and query are percent-encoded as UTF-8 (RFC 3987 §3.1), in the host they
    /// become an A-label.
    ///
    /// - Throws: `WebSocketURLError` for another scheme, a malformed authority or percent-escape, spaces and control
    ///   characters, and a fragment.
    public init(_ text: some StringProtocol) throws(WebSocketURLError) {
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { throw WebSocketURLError(.character) }
        guard !bytes.contains(UInt8(ascii: "#")) else { throw WebSocketURLError(.fragment) }

        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            bytes[colon...].starts(with: Array("://".utf8))
        else { throw WebSocketURLError(.scheme) }
        switch String(decoding: bytes[..<colon], as: UTF8.self).lowercased() {
        case "ws", "http": isSecure = false
        case "wss", "https": isSecure = true
        default: throw WebSocketURLError(.scheme)
        }

        let rest = bytes[(colon + 3)...]
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        var hostAndPort = rest[..<end]
        if let at = hostAndPort.lastIndex(of: UInt8(ascii: "@")) {
            credentials = try Self.credentials(hostAndPort[..<at])
            hostAndPort = hostAndPort[(at + 1)...]
        } else {
            credentials = nil
        }
        do throws(AuthorityError) {
            authority = try Authority(
                String(decoding: hostAndPort, as: UTF8.self), defaultPort: isSecure ? 443 : 80)
        } catch {
            throw WebSocketURLError(.authority(error))
        }
        resource = try Self.resource(rest[end...])
    }

    /// The URL without user and password.
    public var description: String {
        "\(isSecure ? "wss" : "ws")://\(credentials == nil ? "" : "<redacted>@")\(hostField)\(resource)"
    }

    /// User and password, percent-decoded.
    package var userinfo: (user: String, password: String)? {
        credentials.map { ($0.user, $0.password) }
    }

    /// The value of the `Host` field: the port only where it is not the scheme's own (RFC 6455 §4.1).
    package var hostField: String {
        authority.port == (isSecure ? 443 : 80)
            ? authority.bracketedHost : "\(authority.bracketedHost):\(authority.port)"
    }

    /// Splits at the first colon, then decodes: an encoded colon is part of the password. Basic cannot carry a colon
    /// in the user nor control characters at all (RFC 7617 §2).
    private static func credentials(_ bytes: ArraySlice<UInt8>) throws(WebSocketURLError) -> Credentials? {
        if bytes.isEmpty { return nil }
        guard !bytes.contains(UInt8(ascii: "@")) else { throw WebSocketURLError(.userinfo) }
        let colon = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        guard let user = PercentEncoding.decoded(bytes[..<colon]),
            let password = PercentEncoding.decoded(bytes[colon...].dropFirst()),
            !user.contains(":"),
            !(user + password).utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { throw WebSocketURLError(.userinfo) }
        return Credentials(user: user, password: password)
    }

    private static func resource(_ bytes: ArraySlice<UInt8>) throws(WebSocketURLError) -> String {
        guard PercentEncoding.isWellFormed(bytes) else { throw WebSocketURLError(.percentEncoding) }
        guard !bytes.contains(where: { #""<>\^`{|}"#.utf8.contains($0) }) else {
            throw WebSocketURLError(.character)
        }
        let encoded = PercentEncoding.encodingNonASCII(bytes)
        return encoded.hasPrefix("/") ? encoded : "/" + encoded
    }
}
