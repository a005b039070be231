import CCurl
import Testing

@testable import CulvertInterop

@Suite("causes of libcurl's errors")
struct CurlCauseTests {
    private func outcome(_ code: CURLcode, _ change: (inout CurlOutcome) -> Void = { _ in }) -> CurlOutcome {
        var outcome = CurlOutcome(code: Int(code.rawValue))
        change(&outcome)
        return outcome
    }

    @Test("a success has no failure")
    func success() {
        #expect(self.outcome(CURLE_OK).failure == nil)
    }

    @Test(
        "a code without more says what it says",
        arguments: [
            (CURLE_COULDNT_RESOLVE_HOST, Cause.nameNotResolved),
            (CURLE_COULDNT_RESOLVE_PROXY, .nameNotResolved),
            (CURLE_COULDNT_CONNECT, .connectFailed), (CURLE_OPERATION_TIMEDOUT, .timedOut),
            (CURLE_RECV_ERROR, .connectionLost), (CURLE_SEND_ERROR, .connectionLost),
            (CURLE_GOT_NOTHING, .connectionLost), (CURLE_PARTIAL_FILE, .connectionLost),
            (CURLE_WEIRD_SERVER_REPLY, .protocolViolation), (CURLE_HTTP2_STREAM, .protocolViolation),
            (CURLE_SSL_CONNECT_ERROR, .tlsFailed), (CURLE_PEER_FAILED_VERIFICATION, .tlsFailed),
            (CURLE_SSL_CACERT_BADFILE, .other), (CURLE_OUT_OF_MEMORY, .other), (CURLE_LOGIN_DENIED, .other),
            (CURLE_HTTP_RETURNED_ERROR, .other),
        ])
    func codes(code: CURLcode, cause: Cause) {
        #expect(self.outcome(code).cause == cause)
    }

    @Test(
        "what the proxy answered counts before the code",
        arguments: [CURLE_RECV_ERROR, CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT])
    func connectStatus(code: CURLcode) {
        #expect(self.outcome(code) { $0.connectStatus = 403 }.cause == .proxyRefused(status: 403))
        #expect(self.outcome(code) { $0.connectStatus = 407 }.cause == .proxyAuthentication)
    }

    @Test("behind an open tunnel it is the target's failure")
    func openTunnel() {
        #expect(self.outcome(CURLE_RECV_ERROR) { $0.connectStatus = 200 }.cause == .connectionLost)
        let tls = self.outcome(CURLE_PEER_FAILED_VERIFICATION) {
            $0.connectStatus = 200
            $0.proxyKind = .https
        }
        #expect(tls.cause == .tlsFailed)
    }

    @Test("TLS that fails before an answer to CONNECT is the proxy's, where it speaks TLS")
    func proxyTLS() {
        func cause(_ kind: CurlProxy.Kind, proxyResult: Int?) -> Cause {
            self.outcome(CURLE_PEER_FAILED_VERIFICATION) {
                $0.proxyKind = kind
                $0.proxyVerifyResult = proxyResult
            }.cause
        }
        #expect(cause(.https, proxyResult: 20) == .proxyTLSFailed)
        #expect(cause(.https, proxyResult: nil) == .proxyTLSFailed)
        #expect(cause(.https2, proxyResult: 20) == .proxyTLSFailed)
        // In HTTP/2 there is never an answer to CONNECT.
        #expect(cause(.https2, proxyResult: nil) == .tlsFailed)
        #expect(self.outcome(CURLE_SSL_CONNECT_ERROR) { $0.proxyKind = .socks5h }.cause == .tlsFailed)
    }

    @Test("a refusal in HTTP/2, of which libcurl tells no status")
    func http2() {
        func refusal(_ change: (inout CurlOutcome) -> Void) -> Cause {
            self.outcome(CURLE_COULDNT_CONNECT) {
                $0.proxyKind = .https2
                change(&$0)
            }.cause
        }
        #expect(refusal { $0.newConnections = 1 } == .proxyRefused(status: nil))
        #expect(
            refusal {
                $0.newConnections = 1
                $0.isChallenged = true
            } == .proxyAuthentication)
        // Not even the proxy was reached.
        #expect(refusal { _ in } == .connectFailed)
    }

    @Test(
        "what a SOCKS proxy said",
        arguments: [
            (CURLPX_USER_REJECTED, Cause.proxyAuthentication), (CURLPX_NO_AUTH, .proxyAuthentication),
            (CURLPX_REPLY_CONNECTION_REFUSED, .proxyRefused(status: nil)),
            (CURLPX_REPLY_NOT_ALLOWED, .proxyRefused(status: nil)),
            (CURLPX_REQUEST_FAILED, .proxyRefused(status: nil)),
            (CURLPX_BAD_VERSION, .protocolViolation), (CURLPX_CLOSED, .connectionLost),
            (CURLPX_RECV_CONNECT, .connectionLost), (CURLPX_RESOLVE_HOST, .nameNotResolved),
        ])
    func socks(code: CURLproxycode, cause: Cause) {
        #expect(self.outcome(CURLE_PROXY) { $0.proxyError = Int(code.rawValue) }.cause == cause)
    }

    @Test("an upgrade that libcurl itself saw refused")
    func upgrade() {
        let outcome = self.outcome(CURLE_HTTP_RETURNED_ERROR) { $0.status = 403 }
        #expect(outcome.cause == .upgradeRefused(status: 403))
    }
}
