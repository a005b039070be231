extension ProxyScenarioRequest {
    /// What libcurl is told for this request.
    func curlOptions(_ address: ProxyAddress, _ environment: ProxyScenarioEnvironment) -> [CurlOption] {
        var options: [CurlOption] = [
            .url(environment.url(self.url)), .authority(environment.authority),
            .proxy(self.proxy(address)),
        ]
        // libcurl looks the name up itself then, and the origin listens on 127.0.0.1.
        if self.options.scheme == .socks5 { options.append(.ipv4) }
        if self.options.tunnel { options.append(.tunnel) }
        if self.options.proxyProtocol { options.append(.proxyProtocol) }
        if let bytes = self.upload {
            options.append(.upload(bytes: bytes, isPut: self.method == "PUT", isChunked: self.isChunked))
        } else if let method = self.method, method != "GET" {
            options.append(.method(method))
        }
        var headers = self.headers
        if self.isChunked { headers.append("Transfer-Encoding: chunked") }
        // Without a word libcurl expects it for bodies over a limit of its own, which differs between versions.
        headers.append(self.expectsContinue ? "Expect: 100-continue" : "Expect:")
        options.append(.headers(headers))
        return options
    }

    private func proxy(_ address: ProxyAddress) -> CurlProxy {
        var proxy = CurlProxy(self.options.scheme.kind, host: address.host, port: address.port)
        proxy.authentication = self.options.authentication.bits
        switch self.options.credentials {
        case .right:
            proxy.user = address.user
            proxy.password = address.password
        case .wrong:
            proxy.user = address.user ?? "nobody"
            proxy.password = (address.password ?? "") + "-not"
        case .none: break
        }
        return proxy
    }

    /// What a WebSocket client is told for this request.
    func socketRequest(
        _ address: ProxyAddress, _ environment: ProxyScenarioEnvironment
    ) -> SocketRequest? {
        let scheme: ProxyAddress.Scheme
        switch self.options.scheme {
        case .http: scheme = .http
        case .https: scheme = .https
        case .http2: scheme = .http2
        case .socks5h: scheme = .socks5h
        case .socks4a, .socks5: return nil
        }
        let proxy = self.proxy(address)
        var request = SocketRequest(url: environment.url(self.url))
        request.authority = environment.authority
        request.proxies = [
            ProxyAddress(
                scheme, host: proxy.host, port: proxy.port, user: proxy.user, password: proxy.password)
        ]
        return request
    }
}
