public import HTTPWire
public import ProxyAuth

/// One proxy on the way, as a URL names it: `http://user:password@proxy.example:3128`.
public struct ProxyHop: Sendable, Hashable {
    /// How the client speaks with the proxy itself.
    public enum Scheme: String, Sendable, Hashable {
        /// CONNECT over plain TCP.
        case http
        /// CONNECT inside TLS to the proxy.
        case https
        /// SOCKS 4a: the proxy looks names up; a user name, but no password.
        case socks4a
        /// SOCKS 5 (RFC 1928); names are looked up on this side.
        case socks5
        /// SOCKS 5; the proxy looks names up.
        case socks5h

        /// The port a URL without one means.
        public var defaultPort: UInt16 {
            switch self {
            case .http: 80
            case .https: 443
            case .socks4a, .socks5, .socks5h: 1080
            }
        }

        /// Whether SOCKS is spoken instead of HTTP.
        package var isSOCKS: Bool {
            switch self {
            case .http, .https: false
            case .socks4a, .socks5, .socks5h: true
            }
        }
    }

    /// What is spoken with the proxy.
    public var scheme: Scheme
    /// Where the proxy listens.
    public var authority: Authority
    /// Sent only to this proxy, and only when it asks.
    public var credentials: ProxyCredentials?
    /// TLS with this proxy, when it is an `https` one; nil means the options for all proxies.
    public var tls: TLSOptions?

    /// A hop from its parts.
    public init(
        scheme: Scheme,
        authority: Authority,
        credentials: ProxyCredentials? = nil,
        tls: TLSOptions? = nil
    ) {
        self.scheme = scheme
        self.authority = authority
        self.credentials = credentials
        self.tls = tls
    }

    /// Reads a proxy URL. Scheme and port may be missing (`http` and the scheme's port are meant); user name and
    /// password are percent-decoded. An `https` URL may carry TLS options of its own:
    /// `https://proxy.example?ca=FILE&servername=NAME&cert=FILE&key=FILE`.
    ///
    /// - Throws: ``ProxyURLError``, whose text never holds the password.
    public init(_ text: some StringProtocol) throws(ProxyURLError) {
        self = try Self.parse(text).hop
    }

    /// The hop, and what was assumed where the text said nothing: a caller shows it.
    package static func parse(
        _ text: some StringProtocol
    ) throws(ProxyURLError) -> (hop: ProxyHop, assumptions: [String]) {
        var rest = Substring(text)
        var assumptions: [String] = []

        let scheme: Scheme
        if let separator = rest.firstRange(of: "://"), Self.isScheme(rest[..<separator.lowerBound]) {
            let name = rest[..<separator.lowerBound].lowercased()
            guard let known = Scheme(rawValue: name) else {
                throw ProxyURLError(reason: .unsupportedScheme(printable(name)))
            }
            scheme = known
            rest = rest[separator.upperBound...]
        } else {
            scheme = .http
            assumptions.append("no scheme given, http assumed")
        }

        // Behind the user info: a password may hold a question mark.
        let credentials = try Self.takeCredentials(from: &rest)
        let tls = scheme == .https ? try TLSOptions.take(fromQueryOf: &rest) : nil
        if rest.last == "/" { rest.removeLast() }
        guard !rest.contains(where: { "/?#".contains($0) }) else {
            throw ProxyURLError(reason: .pathNotAllowed)
        }
        guard !rest.isEmpty else { throw ProxyURLError(reason: .hostMissing) }

        do {
            let authority = try Authority(rest, defaultPort: scheme.defaultPort)
            if !Self.hasPort(rest) { assumptions.append("no port given, \(scheme.defaultPort) assumed") }
            let hop = ProxyHop(scheme: scheme, authority: authority, credentials: credentials, tls: tls)
            return (hop, assumptions)
        } catch {
            throw ProxyURLError(reason: .authority(error))
        }
    }

    /// Whether it is one by its letters (RFC 3986 §3.1); a password may hold `://` too.
    private static func isScheme(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "+-.".utf8.contains($0) }
    }

    private static func takeCredentials(from rest: inout Substring) throws(ProxyURLError) -> ProxyCredentials?
    {
        // The last @ ends the user info: people write passwords with an unescaped @ in them.
        guard let at = rest.lastIndex(of: "@") else { return nil }
        let userinfo = rest[..<at]
        rest = rest[rest.index(after: at)...]
        let parts = userinfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = parts.first.flatMap({ PercentEncoding.decoded(ArraySlice($0.utf8)) }),
            let password = PercentEncoding.decoded(ArraySlice((parts.count == 2 ? parts[1] : "").utf8))
        else { throw ProxyURLError(reason: .userInfoNotDecodable) }
        return ProxyCredentials(user: user, password: Secret(password))
    }

    private static func hasPort(_ hostAndPort: Substring) -> Bool {
        guard let colon = hostAndPort.lastIndex(of: ":") else { return false }
        return !hostAndPort[colon...].contains("]")
    }
}

extension ProxyHop: CustomStringConvertible {
    /// The URL without user name and password.
    public var description: String { "\(self.scheme.rawValue)://\(self.authority)" }
}

/// A proxy URL that cannot be used. Never silently direct: whoever reads the URL reports this.
public struct ProxyURLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Hashable, Sendable {
        /// The scheme is none of ``ProxyHop/Scheme``.
        case unsupportedScheme(String)
        /// Nothing stands where the host belongs.
        case hostMissing
        /// A path, query or fragment follows the port.
        case pathNotAllowed
        /// The query of an `https` URL is not made of TLS options.
        case queryNotUnderstood
        /// A percent escape of the user info is broken.
        case userInfoNotDecodable
        /// Host or port are malformed.
        case authority(AuthorityError)
    }

    /// What is wrong.
    public let reason: Reason

    /// What is wrong and what a right value looks like.
    public var description: String {
        let problem =
            switch self.reason {
            case .unsupportedScheme(let scheme): "the scheme \"\(scheme)\" is not supported"
            case .hostMissing: "the host is missing"
            case .pathNotAllowed: "a proxy URL has no path, query or fragment"
            case .queryNotUnderstood:
                "the query of an https proxy holds ca=FILE, servername=NAME, or cert=FILE and key=FILE together"
            case .userInfoNotDecodable: "user name or password has a broken percent escape"
            case .authority(let error): error.description
            }
        return
            "\(problem); expected http://[user:password@]host[:port], or https, socks5h, socks5 or socks4a in place of http"
    }
}

/// A scheme as an error may show it: short and free of control characters.
private func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(20).map { $0.value < 0x20 ? "?" : $0 }))
}
