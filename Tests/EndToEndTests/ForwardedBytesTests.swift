import CulvertInterop
import Foundation
import Testing

/// What an attacker sends through `culvert proxy` for an origin, byte for byte, and what the origin gets of it.
@Suite("bytes of forwarded requests", .timeLimit(.minutes(3)))
struct ForwardedBytesTests {
    private func send(_ head: String, _ proxy: CulvertProxyProcess, to origin: ObedientOrigin) async throws
        -> RawConnection
    {
        let connection = try await proxy.connect()
        try await connection.send(head.replacingOccurrences(of: "ORIGIN", with: "127.0.0.1:\(origin.port)"))
        return connection
    }

    @Test(
        "a request that two parsers could read differently is a 400 that closes, and the origin hears nothing of a second",
        arguments: [
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody",
            "Content-Length: +4\r\n\r\nbody", "Content-Length: -1\r\n\r\n", "Content-Length: 0x4\r\n\r\nbody",
            "Content-Length: 99999999999999999999\r\n\r\n",
            "Transfer-Encoding: xchunked\r\n\r\n", "Transfer-Encoding: chunked, identity\r\n\r\n",
            "Transfer-Encoding: identity\r\n\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding : chunked\r\n\r\n", "Transfer-Encoding:\u{B}chunked\r\n\r\n",
            "X: a\r\n Transfer-Encoding: chunked\r\n\r\n", "X: a\nTransfer-Encoding: chunked\r\n\r\n",
            "X: a\rTransfer-Encoding: chunked\r\n\r\n", "X: a\u{0}b\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
            "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
            "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n",
            "Transfer-Encoding: chunked\r\n\r\n3;\nabc\r\n",
            "Transfer-Encoding: chunked\r\n\r\n3;a=\u{1}\r\nabc\r\n",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n",
        ])
    func ambiguous(rest: String) async throws {
        let proxy = try await OwnProxies.shared.open()
        let origin = try await ObedientOrigin()
        let connection = try await self.send(
            "POST http://ORIGIN/first HTTP/1.1\r\nHost: ORIGIN\r\n\(rest)GET http://ORIGIN/second HTTP/1.1\r\nHost: ORIGIN\r\n\r\n",
            proxy, to: origin)
        let answer = try await connection.receiveToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
        #expect(answer.lowercased().contains("connection: close"))
        #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2)
        #expect(!origin.received.contains("second"))
        await connection.close()
    }

    @Test("every field that a Connection line names ends at the proxy, over several lines and in any case")
    func hopByHop() async throws {
        let proxy = try await CulvertProxyProcess.authenticating()
        let origin = try await ObedientOrigin()
        let connection = try await self.send(
            "GET http://ORIGIN/ HTTP/1.1\r\nHost: evil.test\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\n"
                + "connection: x-other ,Connection\r\nX-Other: 2\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\n"
                + "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\nProxy-Foo: 3\r\nTE: trailers\r\nUpgrade: h2c\r\n"
                + "X-End: 4\r\n\r\n",
            proxy, to: origin)
        try await eventually("the request at the origin") { origin.received.hasSuffix("\r\n\r\n") }
        let head = origin.received.lowercased()
        #expect(head.hasPrefix("get / http/1.1\r\nhost: 127.0.0.1:\(origin.port)\r\n"), "\(head)")
        #expect(head.contains("\r\nx-end: 4\r\n"))
        for name in ["x-secret", "x-other", "keep-alive", "proxy-", "te", "upgrade", "evil"] {
            #expect(!head.contains("\r\n\(name)"), "\(name): \(head)")
        }
        #expect(!origin.received.contains("YWxpY2U6c2VjcmV0"))
        await connection.close()
    }

    @Test("more fields than the limit are a 431, however short")
    func fieldCount() async throws {
        let proxy = try await OwnProxies.shared.open()
        let connection = try await proxy.connect()
        try await connection.send(
            "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n" + String(repeating: "a:\r\n", count: 2000)
                + "\r\n")
        let answer = try await connection.receiveToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer)")
        await connection.close()
    }
}
