import CulvertInterop
import Testing

/// Each peer is seen working with someone else's client before Culvert meets it.
@Suite("the peers themselves", .serialized, .timeLimit(.minutes(2)))
struct PeerTests {
    @Test(
        "curl reaches the HTTPS origin through each proxy",
        .requires(.curl, .openssl, .python3, .squid, .tinyproxy, .apache2),
        arguments: ProxyServers.Kind.allCases.filter { $0 != .squidDigest && $0 != .apacheDigest })
    func curl(kind: ProxyServers.Kind) async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await Origins.shared.web()
        let proxy = try await ProxyServers.shared.server(kind)
        let result = try await Command.run([
            "curl", "-sS", "--proxy", proxy.url, "--proxy-cacert", certificates.authority,
            "--cacert", certificates.authority, origin.url("/hello"),
        ])
        #expect(result.text == "hello from the origin\n", "\(result.errors)")
    }

    @Test(
        "a proxy with users turns a wrong password away",
        .requires(.curl, .openssl, .python3, .squid, .tinyproxy),
        arguments: [ProxyServers.Kind.squidBasic, .tinyproxyBasic])
    func wrongPassword(kind: ProxyServers.Kind) async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await ProxyServers.shared.server(kind)
        let result = try await Command.run([
            "curl", "-sS", "--proxy", proxy.url(credentials: "alice:wrong@"), origin.url("/hello"),
        ])
        #expect(result.status == 56)
        #expect(result.errors.contains("407") || result.errors.contains("401"), "\(result.errors)")
    }

    @Test(
        "each WebSocket server answers a handshake", .requires(.curl, .python3, .node),
        arguments: Origins.WebSocket.allCases)
    func handshake(kind: Origins.WebSocket) async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await Origins.shared.webSocket(kind)
        let result = try await Command.run([
            "curl", "-sS", "-i", "--http1.1", "--max-time", "1", "--cacert", certificates.authority,
            "-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13",
            "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "\(kind.isTLS ? "https" : "http")://\(server.authority)/request",
        ])
        #expect(result.text.hasPrefix("HTTP/1.1 101"), "\(result.text) \(result.errors)")
        #expect(result.text.lowercased().contains("s3pplmbitxaq9kygzzhzrbk+xoo="))
        #expect(result.text.contains("\"fields\""))
    }

    @Test("the origin's two ways of making the same bytes agree", .requires(.curl, .python3))
    func digest() async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await Origins.shared.web()
        let curl = ["curl", "-sS", "--cacert", certificates.authority]
        let digest = try await Command.check(curl + [origin.url("/digest/3000000")]).text
        let bytes = try await Command.check(curl + [origin.url("/bytes/3000000")]).output
        #expect(bytes.count == 3_000_000)
        #expect(try await Command.check(["openssl", "sha256", "-r"], input: bytes).text.hasPrefix(digest))
        let echoed = try await Command.check(
            curl + ["-T", "-", origin.url("/sink")], input: bytes
        ).text
        #expect(echoed == "\(digest) 3000000\n")
    }
}
