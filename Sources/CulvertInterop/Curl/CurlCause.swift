import CCurl

/// libcurl's errors in the harness' words.
extension CurlOutcome {
    /// The failure this outcome is; nil for a success.
    var failure: InteropFailure? {
        self.isSuccess ? nil : InteropFailure(self.cause, "\(self.message) (libcurl error \(self.code))")
    }

    /// Why it failed. What the proxy answered counts before the code, which differs between versions.
    var cause: Cause {
        if let status = self.connectStatus, !(200..<300).contains(status) {
            return status == 407 ? .proxyAuthentication : .proxyRefused(status: status)
        }
        let code = CURLcode(rawValue: UInt32(truncatingIfNeeded: self.code))
        if Self.tlsCodes.contains(code) { return self.tlsCause }
        switch code {
        case CURLE_HTTP_RETURNED_ERROR:
            return self.status.map { .upgradeRefused(status: $0) } ?? .other
        case CURLE_LOGIN_DENIED, CURLE_AUTH_ERROR:
            return self.proxyKind == nil ? .other : .proxyAuthentication
        case CURLE_COULDNT_CONNECT, CURLE_RECV_ERROR:
            return self.http2ProxyCause ?? Self.causes[code] ?? .other
        case CURLE_PROXY: return self.socksCause
        default: return Self.causes[code] ?? .other
        }
    }

    private static let causes: [CURLcode: Cause] = [
        CURLE_COULDNT_RESOLVE_PROXY: .nameNotResolved,
        CURLE_COULDNT_RESOLVE_HOST: .nameNotResolved,
        CURLE_COULDNT_CONNECT: .connectFailed,
        CURLE_WEIRD_SERVER_REPLY: .protocolViolation,
        CURLE_HTTP2: .protocolViolation,
        CURLE_HTTP2_STREAM: .protocolViolation,
        CURLE_BAD_CONTENT_ENCODING: .protocolViolation,
        CURLE_PARTIAL_FILE: .connectionLost,
        CURLE_GOT_NOTHING: .connectionLost,
        CURLE_SEND_ERROR: .connectionLost,
        CURLE_RECV_ERROR: .connectionLost,
        CURLE_SSL_SHUTDOWN_FAILED: .connectionLost,
        CURLE_OPERATION_TIMEDOUT: .timedOut,
    ]

    /// Not among them: files of this side that cannot be read, which say nothing about a peer.
    private static let tlsCodes: Set<CURLcode> = [
        CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR,
        CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT,
    ]

    /// What a proxy says in HTTP/2 libcurl keeps to itself, and which code it ends with differs between versions. But
    /// that there was a connection to the proxy, and none to the target, tells it from others.
    private var http2ProxyCause: Cause? {
        guard self.proxyKind == .https2, self.newConnections > 0, self.heads.isEmpty else { return nil }
        return self.isChallenged ? .proxyAuthentication : .proxyRefused(status: nil)
    }

    /// The proxy's handshake comes first; what follows an answer to CONNECT is the target's. In HTTP/2, where libcurl
    /// tells of no answer, the handshake that failed has a result; both have none where a certificate that was
    /// believed has another name, and then it does not say whose.
    private var tlsCause: Cause {
        guard let kind = self.proxyKind, kind.isTLS, self.connectStatus == nil else { return .tlsFailed }
        return kind == .https || self.proxyVerifyResult != nil ? .proxyTLSFailed : .tlsFailed
    }

    private var socksCause: Cause {
        let code = CURLproxycode(rawValue: UInt32(truncatingIfNeeded: self.proxyError ?? 0))
        return Self.socksCauses[code] ?? .proxyRefused(status: nil)
    }

    /// Every other one is a reply by which the proxy declines.
    private static let socksCauses: [CURLproxycode: Cause] = [
        CURLPX_BAD_ADDRESS_TYPE: .protocolViolation,
        CURLPX_BAD_VERSION: .protocolViolation,
        CURLPX_UNKNOWN_MODE: .protocolViolation,
        CURLPX_CLOSED: .connectionLost,
        CURLPX_RECV_ADDRESS: .connectionLost,
        CURLPX_RECV_AUTH: .connectionLost,
        CURLPX_RECV_CONNECT: .connectionLost,
        CURLPX_RECV_REQACK: .connectionLost,
        CURLPX_SEND_AUTH: .connectionLost,
        CURLPX_SEND_CONNECT: .connectionLost,
        CURLPX_SEND_REQUEST: .connectionLost,
        CURLPX_GSSAPI: .proxyAuthentication,
        CURLPX_GSSAPI_PERMSG: .proxyAuthentication,
        CURLPX_GSSAPI_PROTECTION: .proxyAuthentication,
        CURLPX_IDENTD: .proxyAuthentication,
        CURLPX_IDENTD_DIFFER: .proxyAuthentication,
        CURLPX_LONG_PASSWD: .proxyAuthentication,
        CURLPX_LONG_USER: .proxyAuthentication,
        CURLPX_NO_AUTH: .proxyAuthentication,
        CURLPX_USER_REJECTED: .proxyAuthentication,
        CURLPX_RESOLVE_HOST: .nameNotResolved,
    ]
}

// Imported enumerations of C are structures without these.
extension CURLcode: @retroactive Hashable {}
extension CURLproxycode: @retroactive Hashable {}
