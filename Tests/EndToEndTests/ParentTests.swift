import CulvertInterop
import Foundation
import Testing

/// How the nearest proxy is reached, and what it asks of who comes.
@Suite("the way to a parent", .timeLimit(.minutes(4)), .requires(.openssl, .python3, .curl))
struct ParentTests {
    /// HAProxy that lets nobody in without a certificate of the test's authority, before a proxy.
    private func gate(before port: Int) async throws -> (url: String, process: LeashedProcess) {
        let certificates = try await TestCertificates.shared()
        let directory = try Workspace.directory("gate")
        let pair = try [certificates.certificate, certificates.key].map {
            try String(contentsOfFile: $0, encoding: .utf8)
        }
        try Workspace.write(pair.joined(), to: directory.appendingPathComponent("pair.pem"))
        let (own, configuration) = (try LoopbackPort.free(), directory.appendingPathComponent("conf"))
        try Workspace.write(
            """
            defaults
                mode tcp
                timeout connect 10s
                timeout client 60s
                timeout server 60s
            listen gate
                bind 127.0.0.1:\(own) ssl crt \(directory.path)/pair.pem ca-file \(certificates.authority) verify required
                server proxy 127.0.0.1:\(port)

            """, to: configuration)
        let process = try await LeashedProcess(["haproxy", "-db", "-f", configuration.path])
        try await process.accepts(on: own)
        return ("https://localhost:\(own)", process)
    }

    @Test("each https hop is shown its own client certificate", .requires(.haproxy))
    func clientCertificates() async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await ObedientOrigin(greeting: "hello")
        let inner = try await CulvertProxyProcess()
        let near = try await self.gate(before: inner.port)
        let far = try await CulvertProxyProcess([
            "--tls-cert", certificates.certificate, "--tls-key", certificates.key, "--tls-client-ca",
            certificates.authority,
        ])
        let trust = "?ca=\(certificates.authority)"
        let identity = trust + "&cert=\(certificates.certificate)&key=\(certificates.key)"
        func connect(_ nearQuery: String, _ farQuery: String) async throws -> CommandResult {
            try await CulvertCommand.run([
                "connect", "127.0.0.1:\(origin.port)", "--proxy", near.url + nearQuery, "--proxy",
                "https://localhost:\(far.port)" + farQuery,
            ])
        }
        let both = try await connect(identity, identity)
        #expect(both.text == "hello", "\(both.errors)")
        #expect(try await far.logLine(for: "127.0.0.1:\(origin.port)").user == "localhost")
        let notNear = try await connect(trust, identity)
        #expect([4, 5].contains(notNear.status) && notNear.output.isEmpty, "\(notNear.errors)")
        let notFar = try await connect(identity, trust)
        #expect([4, 5].contains(notFar.status) && notFar.output.isEmpty, "\(notFar.errors)")
        #expect(notFar.errors.contains("localhost:\(far.port)"), "\(notFar.errors)")

        let local = try await CulvertProxyProcess([
            "--upstream", near.url + identity, "--upstream", "https://localhost:\(far.port)" + identity,
        ])
        let through = try await CulvertCommand.run([
            "connect", "127.0.0.1:\(origin.port)", "--proxy", local.url,
        ])
        #expect(through.text == "hello", "\(through.errors)")
        try await eventually("the near proxy was asked for the far one") {
            try inner.log().count { $0.target == "localhost:\(far.port)" && $0.status == 200 } >= 2
        }
    }

    @Test("a parent may have an IPv6 address")
    func addressOfSix() async throws {
        let origin = try await ObedientOrigin(greeting: "hello")
        let plain = try await FileServer(["page": "plain\n"])
        let parent = try await CulvertProxyProcess(listen: "[::1]:0")
        let url = "http://[::1]:\(parent.port)"
        let client = try await CulvertCommand.run(["connect", "127.0.0.1:\(origin.port)", "--proxy", url])
        #expect(client.text == "hello", "\(client.errors)")
        let proxy = try await CulvertProxyProcess(["--upstream", url])
        let page = try await Command.run(["curl", "-sS", "-x", proxy.url, plain.url("/page")])
        #expect(page.text == "plain\n", "\(page.errors)")
        #expect(try await proxy.logLine(for: plain.url("/page")).parent == url)
    }

    #if os(Linux)
        @Test(
            "a parent whose IPv6 address drops packets is reached by its IPv4 address meanwhile",
            .enabled("needs user and mount namespaces for an unprivileged user") {
                try await Command.run(["unshare", "--map-root-user", "--mount", "true"]).status == 0
            })
        func bothFamilies() async throws {
            let origin = try await ObedientOrigin(greeting: "hello")
            let parent = try await CulvertProxyProcess()
            let script = """
                import socket, sys, time
                s = socket.socket(socket.AF_INET6); s.bind(("::1", int(sys.argv[1]))); s.listen(0)
                c = socket.create_connection(s.getsockname()[:2]); print("full", flush=True); time.sleep(600)
                """
            let hole = try await LeashedProcess(["python3", "-c", script, "\(parent.port)"])
            try await eventually("the IPv6 port is full") { hole.output.text == "full\n" }
            let hosts = try Workspace.file("hosts", "::1 proxy.test\n127.0.0.1 proxy.test\n", in: "hosts")
            let result = try await Command.run([
                "unshare", "--map-root-user", "--mount", "sh", "-c",
                "mount --bind \(hosts.path) /etc/hosts && exec \"$0\" \"$@\"", CulvertCommand.path, "connect",
                "127.0.0.1:\(origin.port)", "--proxy", "http://proxy.test:\(parent.port)",
            ])
            #expect(result.text == "hello", "\(result.errors)")
        }
    #endif

    @Test("parents that go away while connections to them are kept: the next one, then direct where allowed")
    func goingAway() async throws {
        let origin = try await ObedientOrigin(greeting: "hello")
        let plain = try await FileServer(["page": "plain\n"])
        let parents = [try await CulvertProxyProcess(), try await CulvertProxyProcess()]
        let proxy = try await CulvertProxyProcess([
            "--route", "* \(parents[0].url), \(parents[1].url), direct",
        ])
        let expected: [String?] = [parents[0].url, parents[1].url, nil]
        for (index, parent) in expected.enumerated() {
            for _ in 0..<2 {
                let page = try await Command.run(["curl", "-sS", "-x", proxy.url, plain.url("/page")])
                #expect(page.text == "plain\n", "\(page.errors)")
                let tunnel = try await CulvertCommand.run([
                    "connect", "127.0.0.1:\(origin.port)", "--proxy", proxy.url,
                ])
                #expect(tunnel.text == "hello", "\(tunnel.errors)")
            }
            try await eventually("four requests went by \(parent ?? "no parent")") {
                try proxy.log().filter { $0.status == 200 && $0.parent == parent }.count == 4
            }
            if index < parents.count { try await parents[index].process.stop() }
        }
        #expect(try proxy.log().allSatisfy { $0.status == 200 })
    }

    @Test(
        "plain requests go through a parent that wants Kerberos, on one connection, and show no 407",
        .requires(.krb5kdc, .kinit, .squid))
    func kerberos() async throws {
        let realm = try await KerberosRealm()
        let proxy = try await CulvertProxyProcess(
            ["--upstream", realm.proxy], environment: realm.environment)
        try await self.expectPlain(through: proxy)
        let none = try await CulvertProxyProcess(
            ["--upstream", realm.proxy],
            environment: realm.environment.merging(["KRB5CCNAME": "FILE:/nonexistent"]) { $1 })
        let origin = try await Origins.shared.plainWeb()
        let refused = try await Command.run(["curl", "-sS", "-i", "-x", none.url, origin.url("/hello")])
        #expect(refused.text.hasPrefix("HTTP/1.1 502 "), "\(refused.text)")
        #expect(!refused.text.contains("Proxy-Authenticate"), "\(refused.text)")
    }

    @Test(
        "plain requests go through a parent that wants NTLM, on connections that are kept, and are the user's"
    )
    func ntlm() async throws {
        // MD4 of "secret" in UTF-16.
        let users = try Workspace.file("users", "alice:878d8014606cda29677a44efa1353fc7\n", in: "ntlm-users")
        let parent = try await CulvertProxyProcess(["--ntlm-file", users.path])
        let proxy = try await CulvertProxyProcess([
            "--upstream", parent.url.replacingOccurrences(of: "://", with: "://CORP%5Calice:secret@"),
            "--origin-idle-timeout", "2s",
        ])
        try await self.expectPlain(through: proxy)
        // Where the scheme is one of connections, the requests go in a tunnel, which the parent logs at its end.
        var tunnels: [CulvertProxyProcess.LogLine] = []
        try await eventually("the tunnel ends") {
            tunnels = try parent.log().filter { $0.status == 200 }
            return !tunnels.isEmpty
        }
        // Seven requests went by.
        #expect(tunnels.count <= 3 && tunnels.allSatisfy { $0.user == "alice" }, "\(tunnels)")
    }

    /// Five requests on one connection, an upload, and the same of another client.
    private func expectPlain(through proxy: CulvertProxyProcess) async throws {
        let origin = try await Origins.shared.plainWeb()
        let curl = ["curl", "-sS", "-v", "--max-time", "30", "-x", proxy.url]
        let pages = try await Command.run(curl + [origin.url("/hello?[1-5]")])
        #expect(pages.text == String(repeating: "hello from the origin\n", count: 5), "\(pages.errors)")
        #expect(!pages.errors.contains("HTTP/1.1 407"), "\(pages.errors)")
        let upload = try await Command.run(curl + ["-d", "hello", origin.url("/sink")])
        #expect(upload.text.hasSuffix(" 5\n"), "\(upload.errors)")
        let other = try await Command.run(curl + [origin.url("/hello")])
        #expect(other.text == "hello from the origin\n" && !other.errors.contains("407"), "\(other.errors)")
    }
}
