import CulvertInterop
import Testing

/// What stands between `culvert ws` and its server says no.
@Suite("culvert ws refused on its way", .serialized, .timeLimit(.minutes(2)))
struct WebSocketRefusalTests {
    @Test(
        "a wrong or missing password is exit code 4, tells 407, and prints no password",
        .requires(.openssl, .python3, .squid, .tinyproxy),
        arguments: [ProxyServers.Kind.squidBasic, .tinyproxyBasic], ["alice:wrong-word@", ""])
    func credentials(kind: ProxyServers.Kind, credentials: String) async throws {
        let server = try await Origins.shared.webSocket(.python)
        let proxy = try await ProxyServers.shared.server(kind)
        let result = try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--proxy", proxy.url(credentials: credentials)], input: "a\n")
        #expect(result.status == 4, "\(result.errors)")
        // tinyproxy 1.11 says 401 to wrong credentials; both are the proxy's refusal.
        #expect(result.errors.contains("407") || result.errors.contains("401"), "\(result.errors)")
        #expect(result.errors.contains("culvert ws: error:"))
        #expect(!result.errors.contains("wrong-word"))
    }

    @Test(
        "culvert proxy turns a wrong password away", .requires(.python3),
        arguments: ["alice:wrong-word@", ""])
    func ownCredentials(credentials: String) async throws {
        let server = try await Origins.shared.webSocket(.python)
        let proxy = try await OwnProxies.shared.authenticating()
        let result = try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--proxy", "http://\(credentials)127.0.0.1:\(proxy.port)"],
            input: "a\n")
        #expect(result.status == 4, "\(result.errors)")
        #expect(result.errors.contains("407"), "\(result.errors)")
        #expect(!result.errors.contains("wrong-word"))
    }

    @Test("a parent's 407 is not passed to the client as its own", .requires(.openssl, .python3, .squid))
    func parentsChallenge() async throws {
        let server = try await Origins.shared.webSocket(.python)
        let squid = try await ProxyServers.shared.server(.squidBasic)
        let proxy = try await CulvertProxyProcess(["--upstream", squid.url(credentials: "alice:wrong-word@")])
        let result = try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--proxy", proxy.url], input: "a\n")
        #expect(result.status == 4, "\(result.errors)")
        #expect(result.errors.contains("502"), "\(result.errors)")
        #expect(!proxy.process.output.text.contains("wrong-word"))
        #expect(!proxy.process.errors.text.contains("wrong-word"))
    }

    @Test("a proxy whose certificate is not trusted is exit code 5", .requires(.openssl, .python3, .squid))
    func untrustedProxy() async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await Origins.shared.webSocket(.python)
        let squid = try await ProxyServers.shared.server(.squidTLS)
        let result = try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--proxy", squid.url, "--proxy-ca", certificates.otherAuthority],
            input: "a\n")
        #expect(result.status == 5, "\(result.errors)")
        #expect(result.errors.lowercased().contains("proxy"), "\(result.errors)")
    }

    @Test("a proxy that is not there is exit code 3")
    func noProxy() async throws {
        let port = try LoopbackPort.free()
        let result = try await CulvertCommand.run(
            ["ws", "ws://localhost:1/", "--proxy", "http://127.0.0.1:\(port)"], input: "a\n")
        #expect(result.status == 3, "\(result.errors)")
        #expect(result.errors.contains("\(port)"), "\(result.errors)")
    }

    @Test("a server that is not there is exit code 3 directly and 4 through a proxy")
    func noServer() async throws {
        let port = try LoopbackPort.free()
        let direct = try await CulvertCommand.run(
            ["ws", "ws://localhost:\(port)/", "--proxy", "none"], input: "a\n")
        #expect(direct.status == 3, "\(direct.errors)")
        let proxy = try await OwnProxies.shared.open()
        let proxied = try await CulvertCommand.run(
            ["ws", "ws://localhost:\(port)/", "--proxy", proxy.url], input: "a\n")
        #expect(proxied.status == 4, "\(proxied.errors)")
        #expect(proxied.errors.contains("502"), "\(proxied.errors)")
    }

    @Test("a name that does not exist is exit code 3", arguments: ["ws", "wss"])
    func unresolvable(scheme: String) async throws {
        let result = try await CulvertCommand.run(
            ["ws", "\(scheme)://nonexistent.invalid/", "--proxy", "none"], input: "a\n")
        #expect(result.status == 3, "\(result.errors)")
        #expect(result.errors.contains("nonexistent.invalid"), "\(result.errors)")
    }

    @Test("a server that says nothing is exit code 7", arguments: ["ws", "wss"])
    func silent(scheme: String) async throws {
        // It waits for the end of input, and so never answers a handshake.
        let origin = try await SilentOrigin()
        let result = try await CulvertCommand.run(
            ["ws", "\(scheme)://localhost:\(origin.port)/", "--proxy", "none", "--open-timeout", "1"],
            input: "a\n")
        #expect(result.status == 7, "\(result.errors)")
        #expect(result.errors.contains("culvert ws: error:"), "\(result.errors)")
    }

    @Test("the environment names the proxy, and NO_PROXY takes it away", .requires(.node))
    func environment() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let proxy = try await CulvertProxyProcess()
        let proxied = try await CulvertCommand.run(
            ["ws", server.url("/echo")],
            environment: ["ws_proxy": proxy.url, "no_proxy": "<-loopback>"], input: "a\n")
        #expect(proxied.text == "a\n", "\(proxied.errors)")
        #expect(try await proxy.logLine(for: server.authority).status == 200)
        let direct = try await CulvertCommand.run(
            ["ws", server.url("/echo")],
            environment: ["ws_proxy": proxy.url, "no_proxy": "localhost"], input: "b\n")
        #expect(direct.text == "b\n", "\(direct.errors)")
        #expect(try proxy.log().count == 1)
    }
}
