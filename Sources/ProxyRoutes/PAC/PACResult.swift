import HTTPWire

/// What a script's `FindProxyForURL` answered: `PROXY a:8080; SOCKS5 b:1080; DIRECT`.
package struct PACResult: Sendable, Hashable {
    /// In the order they are tried; never empty.
    package let routes: [Route]
    /// The parts that were passed over, because they name nothing that is spoken here.
    package let ignored: [String]

    /// More than any script lists.
    private static let maxRoutes = 32

    /// Reads an answer. Types are read as Chromium does: `PROXY` and `HTTP` are CONNECT over TCP, `HTTPS` inside TLS,
    /// `SOCKS` and `SOCKS4` version 4a, `SOCKS5` version 5 with names looked up by the proxy.
    ///
    /// - Throws: ``PACResultError`` when no part can be used. An empty answer is no way out, and never silently direct.
    package init(_ text: some StringProtocol) throws(PACResultError) {
        var routes: [Route] = []
        var ignored: [String] = []
        for part in Substring(text).split(separator: ";") {
            let words = part.split(whereSeparator: \.isWhitespace)
            if words.isEmpty { continue }
            if let route = Self.route(words), routes.count < Self.maxRoutes {
                routes.append(route)
            } else {
                ignored.append(Self.shown(words.joined(separator: " ")))
            }
        }
        guard !routes.isEmpty else { throw PACResultError(answer: Self.shown(String(text))) }
        self.routes = routes
        self.ignored = ignored
    }

    private static func route(_ words: [Substring]) -> Route? {
        let type = words[0].uppercased()
        if type == "DIRECT", words.count == 1 { return .direct }
        guard words.count == 2, let scheme = self.scheme(type),
            let authority = try? Authority(words[1], defaultPort: scheme.defaultPort)
        else { return nil }
        return Route([ProxyHop(scheme: scheme, authority: authority)])
    }

    private static func scheme(_ type: String) -> ProxyHop.Scheme? {
        switch type {
        case "PROXY", "HTTP": .http
        case "HTTPS": .https
        case "SOCKS", "SOCKS4": .socks4a
        case "SOCKS5": .socks5h
        default: nil
        }
    }

    /// A script may put anything in there.
    private static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.prefix(80).map { $0.value < 0x20 ? "?" : $0 }))
    }
}

/// No part of a script's answer names a way that can be gone.
package struct PACResultError: Error, Hashable, Sendable, CustomStringConvertible {
    package let answer: String

    package var description: String {
        self.answer.isEmpty
            ? "FindProxyForURL answered with an empty text; expected PROXY host:port or DIRECT"
            : "FindProxyForURL answered \"\(self.answer)\"; expected PROXY host:port, HTTPS, SOCKS, SOCKS5 or DIRECT"
    }
}
