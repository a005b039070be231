import CulvertInterop
import Foundation
import Testing

/// How the nearest proxy is reached, and what it asks of who comes.
@Suite("the way to a parent", .timeLimit(.minutes(4)), .requires(.openssl, .python3, .curl))
struct ParentTests {
    /// HAProxy that lets nobody in without a certificate of the test's authority, before a proxy.
    private func gate(before port: Int) async throws -> HAProxy {
        let certificates = try await TestCertificates.shared()
        let pair = try [certificates.certificate, certificates.key].map {
            try String(contentsOfFile: $0, encoding: .utf8)
        }
        let file = try Workspace.directory("gate").appendingPathComponent("pair.pem")
        try Workspace.write(pair.joined(), to: file)
        return try await HAProxy(
            bind: "ssl crt \(file.path) ca-file \(certificates.authority) verify required", server: port)
    }

    @Test("each https hop is shown its own client certificate", .requires(.haproxy))
    func clientCertificates() async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await ObedientOrigin(greeting: "hello")
        let inner = try await CulvertProxyProcess()
        let near = try await self.gate(before: inner.port)
        let far = try await CulvertProxyProcess.withTLS(["--tls-client-ca", certificates.authority])
        let trust = "?ca=\(certificates.authority)"
        let identity = trust + "&cert=\(certificates.certificate)&key=\(certificates.key)"
        func connect(_ nearQuery: String, _ farQuery: String) async throws -> CommandResult {
            try await CulvertCommand.run([
                "connect", "127.0.0.1:\(origin.port)", "--proxy",
                "https://localhost:\(near.port)" + nearQuery, "--proxy",
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
            "--upstream", "https://localhost:\(near.port)" + identity, "--upstream",
            "https://localhost:\(far.port)" + identity,
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
}
