import CulvertInterop
import Foundation
import Testing

/// What proxies of other makers make of our answers to their challenges; curl is asked the same each time.
@Suite(
    "authentication with a proxy", .serialized, .timeLimit(.minutes(5)),
    .requires(.curl, .openssl, .python3, .node, .squid, .apache2))
struct ProxyAuthenticationTests {
    @Test(
        "Digest: Squid and Apache let the right password in, and no other",
        arguments: [ProxyServers.Kind.squidDigest, .apacheDigest])
    func digest(kind: ProxyServers.Kind) async throws {
        let proxy = try await ProxyServers.shared.server(kind)
        var attempt = AuthenticationAttempt(
            proxy: proxy.url(credentials: ""), user: "alice", scheme: "--proxy-digest")
        let right = try await attempt.culvertAndCurl()
        #expect(right.status == 0, "\(right.errors)")
        attempt.password = "wrong"
        let wrong = try await attempt.culvertAndCurl()
        #expect(wrong.status == 4, "\(wrong.errors)")
        #expect(wrong.errors.contains("rejects the user name or password (digest realm=\"office\")"))
        #expect(!wrong.errors.contains("wrong\"") && !wrong.errors.contains(":wrong"), "\(wrong.errors)")
    }

    @Test("a scheme that is not allowed is not spoken")
    func onlyAllowed() async throws {
        let proxy = try await ProxyServers.shared.server(.squidBasic)
        let server = try await Origins.shared.webSocket(.node)
        let result = try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--proxy", proxy.url, "--proxy-auth", "digest"], input: "x\n")
        #expect(result.status == 4, "\(result.errors)")
        #expect(result.errors.contains("offers only basic"), "\(result.errors)")
    }

    @Test(
        "NTLMv2: a verifying proxy lets the right password of the right domain in", arguments: [false, true])
    func ntlm(isTLS: Bool) async throws {
        let proxy = try await NTLMProxy(isTLS: isTLS)
        let certificates = try await TestCertificates.shared()
        var attempt = AuthenticationAttempt(
            proxy: proxy.url, user: "CORP\\alice", scheme: "--proxy-ntlm",
            arguments: ["--proxy-ca", certificates.authority])
        // curl binds no channel, so the proxy that wants it bound is ours alone.
        let right = isTLS ? try await attempt.culvert() : try await attempt.culvertAndCurl()
        #expect(right.status == 0, "\(right.errors)")
        #expect(proxy.accepted.contains("CORP\\alice"))
        for (user, password) in [
            ("CORP\\alice", "wrong"), ("OTHER\\alice", "secret"), ("CORP\\bob", "secret"),
        ] {
            attempt.user = user
            attempt.password = password
            let wrong = isTLS ? try await attempt.culvert() : try await attempt.culvertAndCurl()
            #expect(wrong.status == 4, "\(user): \(wrong.errors)")
            #expect(wrong.errors.contains("rejects the user name or password"), "\(wrong.errors)")
        }
    }

    @Test("NTLM with the hash in place of the password")
    func ntlmHash() async throws {
        let proxy = try await NTLMProxy(isTLS: false)
        let file = try Workspace.directory("credentials").appendingPathComponent("credentials")
        // MD4 of "secret" in UTF-16.
        try Workspace.write("CORP\\alice:$NT$878d8014606cda29677a44efa1353fc7\n", to: file)
        chmod(file.path, 0o600)
        let attempt = AuthenticationAttempt(
            proxy: proxy.url, user: "", scheme: "",
            arguments: ["--proxy-credentials", "file:\(file.path)"])
        let result = try await attempt.culvert()
        #expect(result.status == 0, "\(result.errors)")
        #expect(proxy.accepted == ["CORP\\alice"])
    }

    @Test("cntlm between us and the verifying proxy", .requires(.cntlm))
    func cntlm() async throws {
        let parent = try await NTLMProxy(isTLS: false)
        let directory = try Workspace.directory("cntlm")
        let port = try LoopbackPort.free()
        try Workspace.write(
            """
            Username alice
            Domain CORP
            Password secret
            Auth NTLMv2
            Proxy 127.0.0.1:\(parent.port)
            Listen 127.0.0.1:\(port)

            """, to: directory.appendingPathComponent("conf"))
        let cntlm = try await LeashedProcess(
            ["cntlm", "-f", "-c", directory.appendingPathComponent("conf").path])
        try await cntlm.accepts(on: port)
        let result = try await AuthenticationAttempt(
            proxy: "http://127.0.0.1:\(port)", user: "", scheme: ""
        ).culvert()
        #expect(result.status == 0, "\(result.errors)")
        #expect(!parent.accepted.isEmpty)
    }

    @Test(
        "Kerberos: the ticket of the user opens the tunnel, and its absence is told",
        .requires(.krb5kdc, .kinit))
    func kerberos() async throws {
        let realm = try await KerberosRealm()
        var attempt = AuthenticationAttempt(
            proxy: realm.proxy, user: "", password: "", scheme: "--proxy-negotiate",
            environment: realm.environment)
        let right = try await attempt.culvertAndCurl()
        #expect(right.status == 0, "\(right.errors)")
        attempt.environment["KRB5CCNAME"] = "FILE:/nonexistent/tickets"
        let none = try await attempt.culvertAndCurl()
        #expect(none.status == 4, "\(none.errors)")
        #expect(none.errors.contains("no Kerberos ticket for HTTP/localhost"), "\(none.errors)")
        // Its address has no ticket; the name it is known by has.
        attempt.environment = realm.environment
        attempt.proxy = realm.proxy.replacingOccurrences(of: "localhost", with: "127.0.0.1")
        let address = try await attempt.culvertAndCurl()
        #expect(address.status == 4, "\(address.errors)")
        attempt.arguments = ["--proxy-service-host", "localhost"]
        let named = try await attempt.culvert()
        #expect(named.status == 0, "\(named.errors)")
    }

    @Test("culvert proxy authenticates for its clients, who never see the parent's 407")
    func parent() async throws {
        let digest = try await ProxyServers.shared.server(.squidDigest)
        let file = try Workspace.directory("parent").appendingPathComponent("secret")
        try Workspace.write("alice:secret\n", to: file)
        chmod(file.path, 0o600)
        let proxy = try await CulvertProxyProcess([
            "--upstream", digest.url(credentials: ""), "--upstream-credentials", "file:\(file.path)",
            "--upstream-auth", "digest",
        ])
        let web = try await Origins.shared.web()
        let certificates = try await TestCertificates.shared()
        // Three connections: the second and third count the nonce of the first up.
        for _ in 0..<3 {
            let result = try await Command.run([
                "curl", "-sS", "-v", "--max-time", "20", "--cacert", certificates.authority, "-x", proxy.url,
                web.url("/hello"),
            ])
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.text == "hello from the origin\n")
            #expect(!result.errors.contains("HTTP/1.1 407"), "\(result.errors)")
        }
    }

    @Test(
        "credentials from a file, the environment, a command and netrc",
        arguments: ["file", "env", "command", "netrc"])
    func sources(kind: String) async throws {
        let proxy = try await ProxyServers.shared.server(.squidDigest)
        let file = try Workspace.directory("sources").appendingPathComponent("secret")
        try Workspace.write(
            kind == "netrc"
                ? "machine other login x password y\nmachine localhost\n  login alice\n  password secret\n"
                : "alice:secret\n", to: file)
        chmod(file.path, 0o600)
        let source =
            switch kind {
            case "file": "file:\(file.path)"
            case "env": "env:CULVERT_TEST_LOGIN"
            case "command": "command:cat \(file.path)"
            default: "netrc:\(file.path)"
            }
        let attempt = AuthenticationAttempt(
            proxy: proxy.url(credentials: ""), user: "", scheme: "",
            arguments: ["--proxy-credentials", source], environment: ["CULVERT_TEST_LOGIN": "alice:secret"])
        let result = try await attempt.culvert()
        #expect(result.status == 0, "\(result.errors)")
        guard kind == "file" else { return }
        chmod(file.path, 0o644)
        let open = try await attempt.culvert()
        #expect(open.status == 64, "\(open.errors)")
        #expect(open.errors.contains("chmod 600"), "\(open.errors)")
    }
}
