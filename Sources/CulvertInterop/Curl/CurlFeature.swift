/// What a libcurl may or may not be able to do. The raw value is its name in scenarios, behind `curl:`.
enum CurlFeature: String, CaseIterable, Sendable {
    /// `curl_ws_send` and `curl_ws_recv`, over `ws://` and `wss://`.
    case webSocket = "ws"
    case tls = "tls"
    case http2 = "http2"
    case httpsProxy = "https-proxy"
    /// HTTP/2 to a TLS proxy.
    case http2Proxy = "http2-proxy"
    /// Sends a PROXY protocol header.
    case proxyProtocol = "proxy-protocol"
    case ntlm = "ntlm"
    /// Negotiate with Kerberos tickets.
    case negotiate = "negotiate"

    /// As people call it.
    var title: String {
        switch self {
        case .webSocket: "WebSocket"
        case .tls: "TLS"
        case .http2: "HTTP/2"
        case .httpsProxy: "HTTPS proxies"
        case .http2Proxy: "HTTP/2 to the proxy"
        case .proxyProtocol: "PROXY protocol"
        case .ntlm: "NTLM"
        case .negotiate: "Negotiate"
        }
    }

    /// Whether the library says so, by its version number, feature bits (`CURL_VERSION_*`) and protocols.
    func isThere(number: UInt32, bits: UInt32, protocols: Set<String>) -> Bool {
        func bit(_ position: UInt32) -> Bool { bits & (1 << position) != 0 }
        switch self {
        case .webSocket: return protocols.contains("ws")
        case .tls: return bit(2)
        case .http2: return bit(16)
        case .httpsProxy: return bit(21)
        case .http2Proxy: return bit(16) && bit(21) && number >= 0x08_01_00
        case .proxyProtocol: return number >= 0x07_3C_00
        case .ntlm: return bit(4)
        case .negotiate: return bit(8) && bit(17)
        }
    }
}
