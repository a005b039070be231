import HTTPWire
import TestSupport
import Testing
import WebSocketWire

@testable import CulvertInterop

@Suite("libcurl as WebSocket client through a proxy", .timeLimit(.minutes(2)))
struct CurlClientProxyTests {
    /// Serves as proxy and target on one connection: the name in the URL is never looked up.
    private func attempt(
        _ client: any InteropClient, _ server: CurlHTTPServer, user: String? = nil, password: String? = nil
    ) async throws -> Cause? {
        let serve: @Sendable (TCPConnection) async throws -> Void = { connection in
            while true {
                let head = try await connection.readHead()
                guard head.hasPrefix("CONNECT target.invalid:80 HTTP/1.1\r\n") else { return }
                guard try await server.connect(head, connection) else { continue }
                try await WebSocketTestPeer.accept(connection).echo()
                return
            }
        }
        return try await withTCPServer(serve) { authority in
            var request = SocketRequest(url: "ws://target.invalid/")
            request.proxies = [
                ProxyAddress(
                    .http, host: "127.0.0.1", port: Int(authority.port), user: user, password: password)
            ]
            do {
                try await client.withSocket(request) { socket in
                    try await socket.send(.text("through"))
                    #expect(try await socket.receive() == .text("through"))
                }
                return nil
            } catch let failure as InteropFailure {
                return failure.cause
            }
        }
    }

    @Test("a tunnel carries the WebSocket", arguments: CurlClientTests.clients)
    func tunnel(client: any InteropClient) async throws {
        #expect(try await self.attempt(client, CurlHTTPServer()) == nil)
    }

    @Test("a refused tunnel has its status", arguments: CurlClientTests.clients)
    func refused(client: any InteropClient) async throws {
        let server = CurlHTTPServer(connectRefusal: "403 Forbidden")
        #expect(try await self.attempt(client, server) == .proxyRefused(status: 403))
    }

    @Test("credentials are given when asked for, and judged", arguments: CurlClientTests.clients)
    func credentials(client: any InteropClient) async throws {
        let server = CurlHTTPServer(authorization: "Basic YWxpY2U6c2VjcmV0")
        #expect(try await self.attempt(client, server, user: "alice", password: "secret") == nil)
        #expect(
            try await self.attempt(client, server, user: "alice", password: "wrong") == .proxyAuthentication)
        #expect(try await self.attempt(client, server) == .proxyAuthentication)
    }

    @Test("what libcurl cannot do is said, not tried")
    func lacks() async throws {
        let client = LibcurlClient()
        #expect(client.lack(of: .ping) == nil)
        #expect(client.lack(of: .chains) != nil)
        var request = SocketRequest(url: "ws://target.invalid/")
        request.proxies = [
            .init(.http, host: "127.0.0.1", port: 1), .init(.http, host: "127.0.0.1", port: 1),
        ]
        await #expect(throws: InteropFailure.self) { try await client.withSocket(request) { _ in } }
    }
}
