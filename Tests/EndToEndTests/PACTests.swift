import CulvertInterop
import CulvertTunnel
import Foundation
import Testing

/// Scripts decide the way, in the commands and in the library.
@Suite(
    "proxy auto-configuration", .timeLimit(.minutes(4)), .requires(.squid, .openssl, .python3, .node, .curl))
struct PACTests {
    /// A script in a file of its own.
    private func file(_ script: String) throws -> String {
        try Workspace.file("proxy.pac", script, in: "pac").path
    }

    private func viaSquid(_ more: String = "") async throws -> (script: String, squid: ProxyServers.Server) {
        let squid = try await ProxyServers.shared.server(.squidBasic)
        let dead = try LoopbackPort.free()
        return (
            """
            // localhost goes through the office's proxy, the first of which is down.
            function FindProxyForURL(url, host) {
                \(more)
                if (host == "localhost" || shExpMatch(host, "*.localhost"))
                    return "PROXY 127.0.0.1:\(dead); PROXY localhost:\(squid.port)";
                return "DIRECT";
            }
            """, squid
        )
    }

    private func credentials() throws -> String {
        let file = try Workspace.file("credentials", "alice:secret\n", in: "pac-credentials")
        chmod(file.path, 0o600)
        return "file:\(file.path)"
    }

    @Test("culvert ws --pac URL: the script's second proxy is taken, with credentials; it sees no path")
    func webSocket() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let (script, squid) = try await self.viaSquid("alert('asked for ' + url);")
        let web = try await FileServer(["proxy.pac": script])
        let result = try await CulvertCommand.run(
            [
                "ws", server.url("/echo"), "--verbose", "--pac", web.url("/proxy.pac"),
                "--proxy-credentials", try self.credentials(),
            ], input: "through\n")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text.contains("through"))
        #expect(result.errors.contains("trying http://localhost:\(squid.port)"), "\(result.errors)")
        #expect(result.errors.contains("asked for ws://\(server.authority)/\n"), "\(result.errors)")
    }

    @Test(
        "culvert proxy --pac FILE: tunnels and plain requests by the script, which is read again when it changes"
    )
    func proxy() async throws {
        let web = try await Origins.shared.web()
        let plain = try await FileServer(["page": "plain\n"])
        let certificates = try await TestCertificates.shared()
        let (script, squid) = try await self.viaSquid()
        let path = try self.file(script)
        let proxy = try await CulvertProxyProcess([
            "--pac", path, "--upstream-credentials", try self.credentials(),
        ])
        let curl = ["curl", "-sS", "--max-time", "40", "--cacert", certificates.authority, "-x", proxy.url]
        try await proxy.expectParent("http://localhost:\(squid.port)", web: web, plain: plain)

        try Workspace.write("function FindProxyForURL() { return 'DIRECT'; }", to: URL(fileURLWithPath: path))
        try await eventually("the changed script") {
            _ = try await Command.run(curl + ["http://localhost:\(plain.port)/page?again"])
            return try proxy.log().contains {
                $0.target?.hasSuffix("/page?") == true && $0.status == 200 && $0.parent == nil
            }
        }
        try Workspace.write("function FindProxyForURL() {\n  oops();\n}", to: URL(fileURLWithPath: path))
        try await eventually("an error with its line") {
            _ = try await Command.run(curl + ["http://localhost:\(plain.port)/page"])
            return try proxy.log().contains { $0.reason?.contains("proxy.pac:2: ReferenceError") == true }
        }
    }

    @Test(
        "a script that fails is an error, and the way is not direct",
        arguments: [
            ("function FindProxyForURL(url, host) {\n  return 'PROXY ;\n}", "proxy.pac:2: SyntaxError"),
            (
                "function FindProxyForURL(url, host) {\n\n  return nowhere(host);\n}",
                "proxy.pac:3: ReferenceError"
            ),
            ("function FindProxyForURL(url, host) { while (true); }", "did not end within 10.0 seconds"),
            (
                "function FindProxyForURL(url, host) { var a = []; while (true) a.push('x' + a.length); }",
                "proxy.pac"
            ),
            ("function FindProxyForURL(url, host) { return ''; }", "answered with an empty text"),
            ("function FindProxyForURL(url, host) { return 'CARRIER pigeon:1'; }", "CARRIER pigeon:1"),
            ("var x;", "no function FindProxyForURL"),
        ])
    func failures(script: String, expected: String) async throws {
        let origin = try await ObedientOrigin(greeting: "hello")
        let path = try self.file(script)
        let result = try await CulvertCommand.run(["connect", "127.0.0.1:\(origin.port)", "--pac", path])
        #expect(result.status == 78, "\(result.errors)")
        #expect(result.errors.contains(expected), "\(result.errors)")
        #expect(origin.accepted == 0)
    }

    @Test("--pac-fallback direct goes direct, and says so")
    func fallback() async throws {
        let origin = try await ObedientOrigin(greeting: "hello")
        let path = try self.file("function FindProxyForURL() { throw 'no'; }")
        let result = try await CulvertCommand.run([
            "connect", "127.0.0.1:\(origin.port)", "--pac", path, "--pac-fallback", "direct",
        ])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text == "hello")
        #expect(result.errors.contains("going direct"), "\(result.errors)")
    }

    @Test("a script that is not there stops the command and the proxy")
    func missing() async throws {
        let path = "/nonexistent/proxy.pac"
        let client = try await CulvertCommand.run(["connect", "127.0.0.1:1", "--pac", path])
        #expect(client.status == 78 && client.errors.contains("No such file"), "\(client.errors)")
        let proxy = try await CulvertCommand.run(["proxy", "--listen", "127.0.0.1:0", "--pac", path])
        #expect(proxy.status == 78 && proxy.errors.contains("No such file"), "\(proxy.errors)")
        let web = try await FileServer([:])
        let gone = try await CulvertCommand.run(["connect", "127.0.0.1:1", "--pac", web.url("/proxy.pac")])
        #expect(gone.status == 78 && gone.errors.contains("the server answered 404"), "\(gone.errors)")
    }

    @Test("one way only is given", arguments: [["--proxy", "none"], ["--route", "* direct"], ["--wpad"]])
    func oneWay(flags: [String]) async throws {
        let result = try await CulvertCommand.run(["connect", "127.0.0.1:1", "--pac", "x"] + flags)
        #expect(result.status == 64, "\(result.errors)")
        let proxy = try await CulvertCommand.run(
            ["proxy", "--pac", "x"] + (flags[0] == "--proxy" ? ["--upstream", "http://a:1"] : flags))
        #expect(proxy.status == 64, "\(proxy.errors)")
    }

    @Test("a program's library asks the command; a name is resolved, and an answer is kept")
    func library() async throws {
        let path = try self.file(
            "function FindProxyForURL(url, host) { alert(url); return dnsResolve('localhost') == '127.0.0.1' && isInNet(host, '127.0.0.0', '255.0.0.0') ? 'SOCKS5 s:1; DIRECT' : 'PROXY p:1'; }"
        )
        let notices = Locked<[String]>([])
        let script = ProxyScript(
            .file(path),
            .init {
                $0.evaluator = [CulvertCommand.path, "pac-evaluator"]
                $0.onNotice = { notice in notices.withLock { $0.append(notice) } }
            })
        for _ in 0..<3 {
            let routes = try await script.routes(to: Authority("127.0.0.1:443"))
            #expect(routes.map(\.description) == ["socks5h://s:1", "direct"])
        }
        #expect(
            try await script.routes(to: Authority("[2001:db8::1]:8443")).map(\.description) == ["http://p:1"])
        #expect(
            notices.withLock { $0 } == [
                "\(path) says: https://127.0.0.1/", "\(path) says: https://[2001:db8::1]:8443/",
            ])
        let none = ProxyScript(
            .file(path), .init { $0.evaluator = ["/nonexistent/culvert", "pac-evaluator"] })
        let error = await #expect(throws: ProxyScriptError.self) {
            try await none.routes(to: Authority("a.example:443"))
        }
        #expect(error?.code == .noEvaluator)
    }
}
