import CCurl

/// What a transfer of libcurl is told. Each case is one of its options, or two that only make sense together.
enum CurlOption: Sendable, Hashable {
    case url(String)
    /// The method's name, where it is not what the body implies.
    case method(String)
    case headers([String])
    /// Only as far as an open connection: for `curl_easy_send` and `curl_easy_recv`.
    case connectOnly
    /// As far as an open WebSocket: for `curl_ws_send` and `curl_ws_recv`.
    case connectWebSocket
    case proxy(CurlProxy)
    /// A SOCKS proxy on the way to the proxy.
    case preProxy(CurlProxy)
    /// CONNECT, for plain HTTP too.
    case tunnel
    /// A PROXY protocol header first.
    case proxyProtocol
    /// Names are looked up for IPv4 only.
    case ipv4
    /// PEM file with the authorities to trust, for target and proxy.
    case authority(String)
    /// Over everything.
    case timeout(Duration)
    /// Up to an open connection, tunnel and TLS included.
    case connectTimeout(Duration)
    /// A larger body ends the transfer with an error.
    case maxBody(bytes: Int)
    /// A POST or PUT of so many bytes of ``PatternBytes``.
    case upload(bytes: Int, isPut: Bool, isChunked: Bool)

    func apply(to easy: CurlEasy) throws(InteropFailure) {
        switch self {
        case .url(let url): try easy.set(CURLOPT_URL, url)
        case .method(let method): try easy.set(CURLOPT_CUSTOMREQUEST, method)
        case .headers(let lines): try easy.set(CURLOPT_HTTPHEADER, lines)
        case .connectOnly:
            try easy.set(CURLOPT_CONNECT_ONLY, 1)
            // A server that chose HTTP/2 would not understand an upgrade.
            try easy.set(CURLOPT_SSL_ENABLE_ALPN, 0)
        case .connectWebSocket: try easy.set(CURLOPT_CONNECT_ONLY, 2)
        case .proxy(let proxy): try Self.apply(proxy, to: easy)
        case .preProxy(let proxy): try easy.set(CURLOPT_PRE_PROXY, proxy.urlWithCredentials)
        case .tunnel: try easy.set(CURLOPT_HTTPPROXYTUNNEL, 1)
        case .proxyProtocol: try easy.set(CURLOPT_HAPROXYPROTOCOL, 1)
        case .ipv4: try easy.set(CURLOPT_IPRESOLVE, CurlNumber.ipv4)
        case .authority(let file):
            try easy.set(CURLOPT_CAINFO, file)
            try easy.set(CURLOPT_PROXY_CAINFO, file)
        case .timeout(let time): try easy.set(CURLOPT_TIMEOUT_MS, time.curlMilliseconds)
        case .connectTimeout(let time): try easy.set(CURLOPT_CONNECTTIMEOUT_MS, time.curlMilliseconds)
        case .maxBody(let bytes): easy.exchange.maxBodyBytes = bytes
        case .upload(let bytes, let isPut, let isChunked):
            easy.exchange.upload = CurlUpload(bytes: bytes)
            try easy.set(isPut ? CURLOPT_UPLOAD : CURLOPT_POST, 1)
            try easy.set(
                isPut ? CURLOPT_INFILESIZE_LARGE : CURLOPT_POSTFIELDSIZE_LARGE,
                offset: isChunked ? -1 : bytes)
        }
    }

    private static func apply(_ proxy: CurlProxy, to easy: CurlEasy) throws(InteropFailure) {
        try easy.set(CURLOPT_PROXY, proxy.url)
        // Behind the URL, whose scheme cannot say HTTP/2.
        try easy.set(CURLOPT_PROXYTYPE, proxy.kind.rawValue)
        easy.proxyKind = proxy.kind
        guard let user = proxy.user else { return }
        // One by one, not joined: a user may have a colon.
        try easy.set(CURLOPT_PROXYUSERNAME, user)
        try easy.set(CURLOPT_PROXYPASSWORD, proxy.password ?? "")
        if !proxy.kind.isSOCKS { try easy.set(CURLOPT_PROXYAUTH, proxy.authentication.rawValue) }
    }
}

extension Duration {
    /// At least one: libcurl takes zero for "no limit".
    fileprivate var curlMilliseconds: Int {
        let (seconds, attoseconds) = self.components
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
