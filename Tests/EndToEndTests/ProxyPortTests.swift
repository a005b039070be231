import CulvertInterop
import Foundation
import Testing

/// Everything that one port of `culvert proxy` takes, from the clients that people have.
@Suite(
    "one port for all", .serialized, .timeLimit(.minutes(4)), .requires(.curl, .openssl, .python3))
struct ProxyPortTests {
    private func curl(_ arguments: [String]) async throws -> CommandResult {
        let certificates = try await TestCertificates.shared()
        return try await Command.run(
            [
                "curl", "-sS", "-4", "--cacert", certificates.authority, "--proxy-cacert",
                certificates.authority,
            ] + arguments)
    }

    // MARK: SOCKS

    @Test(
        "curl's SOCKS and HTTP reach an origin on the same port",
        arguments: ["socks5", "socks5h", "socks4", "socks4a", "http"])
    func protocols(scheme: String) async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await OwnProxies.shared.open()
        let result = try await self.curl([
            "--proxy", "\(scheme)://127.0.0.1:\(proxy.port)", origin.url("/hello"),
        ])
        #expect(result.text == "hello from the origin\n", "\(result.errors)")
    }

    @Test("a megabyte and the end of each direction cross a SOCKS tunnel, and one log line tells of it")
    func bytes() async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess()
        let result = try await self.curl([
            "--socks5-hostname", "127.0.0.1:\(proxy.port)", "-o", "/dev/null", "-w", "%{size_download}",
            origin.url("/bytes/1048576"),
        ])
        #expect(result.text == "1048576", "\(result.errors)")
        let line = try await proxy.logLine(for: origin.authority)
        #expect(line.status == 200)
        #expect(line.method == "CONNECT")
        #expect(line.bytesDown ?? 0 > 1_048_576)
    }

    @Test(
        "only the right name and password pass by SOCKS 5, and none by SOCKS 4",
        arguments: [
            ("socks5h", "alice:secret", true), ("socks5h", "bob:pass:with:colons", true),
            ("socks5h", "alice:wrong", false), ("socks5h", "nobody:secret", false), ("socks5h", "", false),
            ("socks4a", "alice", false),
        ])
    func users(scheme: String, credentials: String, passes: Bool) async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await OwnProxies.shared.authenticating()
        let userinfo = credentials.isEmpty ? "" : credentials + "@"
        let result = try await self.curl([
            "--proxy", "\(scheme)://\(userinfo)127.0.0.1:\(proxy.port)", origin.url("/hello"),
        ])
        #expect(result.text == (passes ? "hello from the origin\n" : ""), "\(result.errors)")
        #expect((result.status == 0) == passes)
    }

    @Test("rules and failures come back as SOCKS replies")
    func replies() async throws {
        let proxy = try await CulvertProxyProcess(["--guard", "off", "--connect-port", "443"])
        let port = try LoopbackPort.free()
        let forbidden = try await self.curl([
            "--socks5-hostname", "127.0.0.1:\(proxy.port)", "http://localhost:\(port)/",
        ])
        #expect(forbidden.status == 97, "\(forbidden.errors)")
        #expect(forbidden.errors.contains("(2)"), "\(forbidden.errors)")
        #expect(try await proxy.logLine(for: "localhost:\(port)").status == 403)

        let open = try await OwnProxies.shared.open()
        let refused = try await self.curl([
            "--socks5-hostname", "127.0.0.1:\(open.port)", "http://127.0.0.1:\(port)/",
        ])
        #expect(refused.errors.contains("(5)"), "\(refused.errors)")
        let unknown = try await self.curl([
            "--socks5-hostname", "127.0.0.1:\(open.port)", "http://nothing.invalid/",
        ])
        #expect(unknown.errors.contains("(4)"), "\(unknown.errors)")
    }

    @Test(
        "OpenSSH gets through with nc as ProxyCommand", .requires(.ssh, .sshd, .nc),
        arguments: ["5", "4", "connect"])
    func ssh(version: String) async throws {
        let server = try await SSHServer.shared()
        let proxy = try await OwnProxies.shared.open()
        let result = try await Command.run(
            ["ssh"] + server.arguments + [
                "-o", "ProxyCommand=nc -X \(version) -x 127.0.0.1:\(proxy.port) %h %p", server.destination,
                "echo through SOCKS",
            ])
        #expect(result.text == "through SOCKS\n", "\(result.errors)")
    }

    @Test("our own client goes through it by every SOCKS", arguments: ["socks4a", "socks5", "socks5h"])
    func ourClient(scheme: String) async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await OwnProxies.shared.open()
        let result = try await CulvertCommand.run(
            ["connect", "localhost:\(origin.port)", "--proxy", "\(scheme)://127.0.0.1:\(proxy.port)"],
            input: "LATE! question")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text == "after the end")
    }

    // MARK: TLS

    @Test(
        "with a certificate the port takes TLS too, HTTP and SOCKS inside it or beside it",
        arguments: ["https", "http", "socks5h"])
    func tls(scheme: String) async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess.withTLS()
        let result = try await self.curl([
            "--proxy", "\(scheme)://localhost:\(proxy.port)", origin.url("/bytes/3000000"), "-o", "/dev/null",
            "-w", "%{size_download}",
        ])
        #expect(result.text == "3000000", "\(result.errors)")
    }

    @Test("whoever does not trust the proxy's authority sends it nothing")
    func untrusted() async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess.withTLS()
        let result = try await Command.run(
            ["curl", "-sS", "--proxy", "https://localhost:\(proxy.port)", origin.url("/hello")])
        #expect(result.status == 60 || result.status == 35, "\(result.errors)")
        #expect(try proxy.log().isEmpty)
    }

    @Test("SOCKS inside TLS, spoken by openssl s_client")
    func socksInsideTLS() async throws {
        let origin = try await ObedientOrigin(greeting: "220 ready\r\n")
        let proxy = try await CulvertProxyProcess.withTLS()
        let certificates = try await TestCertificates.shared()
        let request: [UInt8] =
            [5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, UInt8(origin.port >> 8), UInt8(origin.port & 0xFF)]
            + Array("FIN!".utf8)
        let process = try ChildProcess(
            [
                "openssl", "s_client", "-quiet", "-connect", "localhost:\(proxy.port)", "-CAfile",
                certificates.authority, "-verify_return_error",
            ], input: .open)
        try process.write(request)
        try await eventually("the target's greeting") {
            process.output.bytes.elementsEqual(
                [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0] + Array("220 ready\r\n".utf8))
        }
        process.signal(SIGTERM)
        _ = try await process.exit(within: .seconds(10))
    }

    @Test(
        "the subject of a client certificate is the user; without one a password is asked for, or nobody let in"
    )
    func clientCertificate() async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await Origins.shared.web()
        let identity = ["--proxy-cert", certificates.certificate, "--proxy-key", certificates.key]
        let closed = try await CulvertProxyProcess.withTLS(["--tls-client-ca", certificates.authority])
        let url = "https://localhost:\(closed.port)"
        let let_in = try await self.curl(["--proxy", url] + identity + [origin.url("/hello")])
        #expect(let_in.text == "hello from the origin\n", "\(let_in.errors)")
        let line = try await closed.logLine(for: origin.authority)
        #expect(line.user == "localhost")
        for proxy in [url, "http://localhost:\(closed.port)", "socks5h://localhost:\(closed.port)"] {
            let refused = try await self.curl(["--proxy", proxy, origin.url("/hello")])
            #expect(refused.status != 0)
            #expect(refused.text.isEmpty)
        }

        let users = try Workspace.directory("users").appendingPathComponent("users")
        try Workspace.write("alice:secret\n", to: users)
        let mixed = try await CulvertProxyProcess.withTLS([
            "--tls-client-ca", certificates.authority, "--users-file", users.path, "--users-plain-text",
        ])
        for arguments in [identity, ["--proxy-user", "alice:secret"]] {
            let result = try await self.curl(
                ["--proxy", "https://localhost:\(mixed.port)"] + arguments + [origin.url("/hello")])
            #expect(result.text == "hello from the origin\n", "\(result.errors)")
        }
        try await eventually("both users are logged") {
            Set(try mixed.log().filter { $0.status == 200 }.compactMap(\.user)) == ["localhost", "alice"]
        }
    }

    @Test("rules know the user of a client certificate, and roles count")
    func certificateRules() async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess.withTLS([
            "--tls-client-ca", certificates.authority, "--role", "guests=localhost",
            "--rule", "deny name=no-guests role=guests", "--rule-default", "allow",
        ])
        let result = try await self.curl([
            "--proxy", "https://localhost:\(proxy.port)", "--proxy-cert", certificates.certificate,
            "--proxy-key", certificates.key, origin.url("/hello"),
        ])
        #expect(result.errors.contains("403"), "\(result.errors)")
        let line = try await proxy.logLine(for: origin.authority)
        #expect(line.user == "localhost")
        #expect(line.rule == "no-guests")
    }

    @Test("a new certificate counts from the reload on, and a bad one keeps the old")
    func certificateReload() async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await Origins.shared.web()
        let file = try Workspace.directory("reload").appendingPathComponent("proxy.pem")
        let certificate = try String(contentsOfFile: certificates.certificate, encoding: .utf8)
        let other = try String(contentsOfFile: certificates.otherAuthority, encoding: .utf8)
        try Workspace.write(certificate, to: file)
        let proxy = try await CulvertProxyProcess([
            "--tls-cert", file.path, "--tls-key", certificates.key,
        ])
        let request = ["--proxy", "https://localhost:\(proxy.port)", origin.url("/hello")]
        #expect(try await self.curl(request).status == 0)
        // Of another key.
        try Workspace.write(other, to: file)
        proxy.process.signal(SIGHUP)
        try await eventually("the reload is refused") { proxy.process.errors.text.contains(file.path) }
        #expect(try await self.curl(request).status == 0)
        // With the authority behind it, as a chain may be.
        let chain = try String(contentsOfFile: certificates.authority, encoding: .utf8)
        try Workspace.write(certificate + chain, to: file)
        proxy.process.signal(SIGHUP)
        try await eventually("the chain is shown") {
            let shown = try await Command.run(
                ["openssl", "s_client", "-showcerts", "-connect", "localhost:\(proxy.port)"], input: [])
            return shown.text.components(separatedBy: "BEGIN CERTIFICATE").count > 2
        }
    }

    @Test("openssl s_client with a certificate of another authority is turned away")
    func otherAuthority() async throws {
        let certificates = try await TestCertificates.shared()
        let proxy = try await CulvertProxyProcess.withTLS(["--tls-client-ca", certificates.otherAuthority])
        let result = try await Command.run(
            [
                "openssl", "s_client", "-quiet", "-connect", "localhost:\(proxy.port)", "-CAfile",
                certificates.authority, "-cert", certificates.certificate, "-key", certificates.key,
            ], input: Array("CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n".utf8))
        #expect(!result.text.contains("HTTP/1.1"), "\(result.text)")
        #expect(result.errors.contains("alert"), "\(result.errors)")
    }

    @Test(
        "a certificate or key that cannot be read is told before anything listens",
        arguments: ["--tls-cert", "--tls-key"])
    func unreadable(flag: String) async throws {
        let certificates = try await TestCertificates.shared()
        let arguments = ["--tls-cert": certificates.certificate, "--tls-key": certificates.key]
            .flatMap { [$0.key, $0.key == flag ? "/nonexistent.pem" : $0.value] }
        let result = try await CulvertCommand.run(["proxy", "--listen", "127.0.0.1:0"] + arguments)
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.errors.contains("/nonexistent.pem"), "\(result.errors)")
        #expect(!result.errors.contains("listening"))
    }

    // MARK: PROXY protocol

    @Test("curl's PROXY header is taken from a trusted peer")
    func curlHeader() async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess(["--proxy-protocol-from", "127.0.0.0/8"])
        let result = try await Command.run([
            "curl", "-sS", "-v", "-4", "--haproxy-protocol", "http://127.0.0.1:\(proxy.port)/not-for-a-proxy",
        ])
        // curl talks to the proxy as to an origin: what counts is that the header was understood.
        #expect(result.errors.contains("< HTTP/1.1 4"), "\(result.errors)")
        let line = try await proxy.logLine(for: "/not-for-a-proxy")
        #expect(line.client?.hasPrefix("127.0.0.1:") == true)
        _ = origin
    }

    @Test(
        "HAProxy in front tells whose connection it is", .requires(.haproxy),
        arguments: ["send-proxy", "send-proxy-v2"])
    func haproxy(version: String) async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess(["--proxy-protocol-from", "127.0.0.1/32", "--guard", "off"])
        let front = try await HAProxy(server: proxy.port, options: version)
        for scheme in ["http", "socks5h"] {
            let result = try await self.curl([
                "--interface", "127.0.0.9", "--proxy", "\(scheme)://127.0.0.1:\(front.port)",
                origin.url("/hello"),
            ])
            #expect(result.text == "hello from the origin\n", "\(result.errors)")
        }
        try await eventually("both are logged") { try proxy.log().filter { $0.status == 200 }.count == 2 }
        for line in try proxy.log() where line.status == 200 {
            #expect(line.client?.hasPrefix("127.0.0.9:") == true, "\(line)")
        }
        try await front.process.stop()
    }

    @Test("a trusted peer without a header, with a malformed or a slow one is cut off without an answer")
    func noHeader() async throws {
        let proxy = try await CulvertProxyProcess([
            "--proxy-protocol-from", "127.0.0.1/32", "--head-timeout", "1",
        ])
        for bytes in [
            "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", "PROXY TCP4 ::1 ::1 1 2\r\nCONNECT a:1 HTTP/1.1\r\n\r\n",
            "PROXY TCP4 1.2.3.4 ",
        ] {
            let connection = try await proxy.connect()
            try await connection.send(bytes)
            #expect(try await connection.receiveToEnd(within: .seconds(20)).isEmpty)
        }
        try await eventually("each is logged") { try proxy.log().filter { $0.status == 400 }.count == 3 }
    }

    @Test("a header from somebody who is not trusted is no header")
    func untrustedHeader() async throws {
        let proxy = try await CulvertProxyProcess(["--proxy-protocol-from", "192.0.2.0/24"])
        let connection = try await proxy.connect()
        try await connection.send(
            "PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\nCONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n")
        #expect(try await connection.receiveToEnd().hasPrefix("HTTP/1.1 400 "))
    }
}
