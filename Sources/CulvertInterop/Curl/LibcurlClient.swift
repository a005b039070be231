import HTTPWire
import WebSocketWire

/// libcurl as the oracle: it opens the connection through proxies and TLS (`CURLOPT_CONNECT_ONLY`), our codec speaks
/// WebSocket inside.
package struct LibcurlClient: InteropClient {
    private let library = CurlLibrary.current

    package init() {}

    package var name: String { "libcurl" }
    package let isOracle = true
    package var version: String { self.library.version }

    package func lack(of feature: ClientFeature) -> String? {
        LibcurlOptions.lack(of: feature, self.library)
    }

    package func withSocket(
        _ request: SocketRequest, _ body: @Sendable (any InteropSocket) async throws -> Void
    ) async throws {
        let url: WebSocketURL
        do {
            url = try WebSocketURL(request.url)
        } catch {
            throw InteropFailure(.other, "\(error)")
        }
        // The scheme decides over TLS only; nothing of HTTP but CONNECT is libcurl's here.
        let scheme = url.isSecure ? "https" : "http"
        let options = try LibcurlOptions.options(request, self.library)
        let easy = try CurlEasy(
            [.url("\(scheme)://\(url.authority)\(url.resource)"), .connectOnly] + options)
        let connection = try LibcurlConnection(CurlTunnel(easy), url: url, request)
        try await CurlSocket.with(connection, openTimeout: request.openTimeout, body)
    }
}

/// What both clients over libcurl have in common.
enum LibcurlOptions {
    static func lack(of feature: ClientFeature, _ library: CurlLibrary) -> String? {
        switch feature {
        case .webSocket, .fragments, .compression, .ping, .closeCode, .socks, .digest: nil
        case .chains: "libcurl goes through one proxy, before which it can have a SOCKS proxy only"
        case .http2Proxy: library.lack(of: .http2Proxy)
        }
    }

    /// Proxies and trust.
    ///
    /// - Throws: `InteropFailure` for what libcurl cannot do.
    static func options(
        _ request: SocketRequest, _ library: CurlLibrary
    ) throws(InteropFailure) -> [CurlOption] {
        var options = request.authority.map { [CurlOption.authority($0)] } ?? []
        let proxies = request.proxies.map { CurlProxy($0) }
        guard let last = proxies.last else { return options }
        if last.kind.isTLS, let lack = library.lack(of: last.kind == .https2 ? .http2Proxy : .httpsProxy) {
            throw InteropFailure(.other, lack)
        }
        options.append(.proxy(last))
        if !last.kind.isSOCKS { options.append(.tunnel) }
        switch proxies.count {
        case 1: break
        case 2 where proxies[0].kind.isSOCKS && !last.kind.isSOCKS:
            options.append(.preProxy(proxies[0]))
        default: throw InteropFailure(.other, Self.lack(of: .chains, library) ?? "no chains")
        }
        return options
    }
}
