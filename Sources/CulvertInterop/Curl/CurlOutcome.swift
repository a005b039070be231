import CCurl

/// How a transfer of libcurl came out, and what libcurl tells about it.
struct CurlOutcome: Sendable, Hashable {
    /// libcurl's `CURLcode`; 0 is success.
    var code: Int
    /// Its words for it.
    var message = ""
    /// Of the last answer that was not to a CONNECT.
    var status: Int?
    /// Of the last answer to a CONNECT.
    var connectStatus: Int?
    /// The proxy named schemes by which it lets in.
    var isChallenged = false
    /// How many connections it had to open.
    var newConnections = 0
    /// What a SOCKS proxy said, as a `CURLproxycode`.
    var proxyError: Int?
    /// Why the proxy's certificate was not believed, as OpenSSL's number.
    var proxyVerifyResult: Int?
    /// Where the connection went: the proxy's address, with one.
    var primaryAddress: String?
    var primaryPort: Int?
    /// nil where this libcurl does not tell.
    var usedProxy: Bool?
    var proxyKind: CurlProxy.Kind?
    var heads: [CurlHead] = []
    var body = CurlBody()

    init(code: Int) {
        self.code = code
    }

    var isSuccess: Bool { self.code == 0 }

    /// What a call on an open connection failed with. The statuses of the opening say nothing about it.
    static func failure(_ code: CURLcode) -> InteropFailure {
        var outcome = CurlOutcome(code: Int(code.rawValue))
        outcome.message = String(cString: curl_easy_strerror(code))
        return InteropFailure(outcome.cause, "\(outcome.message) (libcurl error \(outcome.code))")
    }
}
