/// One request of a ``ProxyScenario``, or several of the same kind.
struct ProxyScenarioRequest: Sendable, Hashable, Decodable {
    /// Who speaks WebSocket.
    enum WebSocket: String, Sendable, Hashable, Codable {
        /// Our codec, in a connection that libcurl opened.
        case codec
        /// libcurl itself.
        case libcurl
    }

    /// `{http}`, `{https}`, `{ws}` and `{wss}` stand for the origin's base URLs, `{refused}` for a port nobody listens
    /// on.
    let url: String
    /// nil is what the body implies.
    let method: String?
    let headers: [String]
    /// Bytes of the pattern to send: as POST, or as PUT where the method says so.
    let upload: Int?
    let isChunked: Bool
    /// Waits for the origin's 100 before the body.
    let expectsContinue: Bool
    /// How many times, at once or one after another.
    let count: Int
    let isParallel: Bool
    let webSocket: WebSocket?
    let options: ProxyScenarioOptions
    let expect: ProxyScenarioExpectation

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case url, method, headers, upload, chunked, expectContinue, count, parallel, webSocket, options,
            expect
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.url = try container.decode(String.self, forKey: .url)
        self.method = try container.decodeIfPresent(String.self, forKey: .method)
        self.headers = try container.decode(.headers, default: [])
        self.upload = try container.decodeIfPresent(Int.self, forKey: .upload)
        self.isChunked = try container.decode(.chunked, default: false)
        self.expectsContinue = try container.decode(.expectContinue, default: false)
        self.count = try container.decode(.count, default: 1)
        self.isParallel = try container.decode(.parallel, default: false)
        self.webSocket = try container.decodeIfPresent(WebSocket.self, forKey: .webSocket)
        self.options = try container.decode(.options, default: ProxyScenarioOptions())
        self.expect = try container.decode(ProxyScenarioExpectation.self, forKey: .expect)
        // 200 connections are what a peer may be asked for at once; 64 MiB is what the origin takes.
        guard (1...200).contains(self.count) else {
            throw DecodingError.dataCorruptedError(
                forKey: .count, in: container, debugDescription: "not in 1...200")
        }
        guard (0...(64 << 20)).contains(self.upload ?? 0) else {
            throw DecodingError.dataCorruptedError(
                forKey: .upload, in: container, debugDescription: "not in 0...64 MiB")
        }
    }
}

/// How libcurl is told to go through the proxy.
struct ProxyScenarioOptions: Sendable, Hashable, Decodable {
    /// The credentials that are given.
    enum Credentials: String, Sendable, Hashable, Codable {
        /// The proxy's, where it has any.
        case right
        /// The proxy's user, another password.
        case wrong
        case none
    }

    enum Scheme: String, Sendable, Hashable, Codable {
        case http, https, http2, socks4a, socks5, socks5h

        var kind: CurlProxy.Kind {
            switch self {
            case .http: .http
            case .https: .https
            case .http2: .https2
            case .socks4a: .socks4a
            case .socks5: .socks5
            case .socks5h: .socks5h
            }
        }
    }

    enum Authentication: String, Sendable, Hashable, Codable {
        case basic, digest, ntlm, negotiate, any

        var bits: CurlProxy.Authentication {
            switch self {
            case .basic: .basic
            case .digest: .digest
            case .ntlm: .ntlm
            case .negotiate: .negotiate
            case .any: .any
            }
        }
    }

    var scheme = Scheme.http
    /// CONNECT for plain HTTP too.
    var tunnel = false
    /// libcurl's own default: Basic, unasked.
    var authentication = Authentication.basic
    var credentials = Credentials.right
    /// Sends a PROXY protocol header (version 1) first. Not with a tunnel: libcurl would send it to the target, in there.
    var proxyProtocol = false

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case scheme, tunnel, authentication, credentials, proxyProtocol
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.scheme = try container.decode(.scheme, default: self.scheme)
        self.tunnel = try container.decode(.tunnel, default: self.tunnel)
        self.authentication = try container.decode(.authentication, default: self.authentication)
        self.credentials = try container.decode(.credentials, default: self.credentials)
        self.proxyProtocol = try container.decode(.proxyProtocol, default: self.proxyProtocol)
    }
}
