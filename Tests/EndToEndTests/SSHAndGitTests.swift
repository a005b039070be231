import CulvertInterop
import Foundation
import Testing

/// Tools that people already have, through a tunnel.
@Suite("ssh and git through a tunnel", .serialized, .timeLimit(.minutes(3)), .requires(.openssl, .python3))
struct SSHAndGitTests {
    private func ssh(_ server: SSHServer, _ proxy: [String], _ command: String, input: [UInt8] = [])
        async throws
        -> CommandResult
    {
        let proxyCommand = ([CulvertCommand.path, "connect", "%h:%p"] + proxy).joined(separator: " ")
        return try await Command.run(
            ["ssh"] + server.arguments + ["-o", "ProxyCommand=\(proxyCommand)", server.destination, command],
            input: input)
    }

    @Test(
        "a command runs and its output comes back", .requires(.ssh, .sshd, .squid, .tinyproxy, .apache2),
        arguments: Route.allCases)
    func command(route: Route) async throws {
        let server = try await SSHServer.shared()
        let result = try await self.ssh(
            server, try await route.arguments(), "echo from the other side; exit 3")
        #expect(result.text == "from the other side\n", "\(result.errors)")
        #expect(result.status == 3)
    }

    @Test("twenty megabytes go through cat and come back", .requires(.ssh, .sshd))
    func cat() async throws {
        let server = try await SSHServer.shared()
        let proxy = try await OwnProxies.shared.open()
        let input = SystemRandom.bytes(20 << 20)
        let result = try await self.ssh(server, ["--proxy", proxy.url], "cat", input: input)
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, input, result.errors)
    }

    @Test(
        "git clones what was committed, directly and through a parent proxy", .requires(.git),
        arguments: [false, true])
    func clone(throughParent: Bool) async throws {
        let origin = try await Origins.shared.web()
        let certificates = try await TestCertificates.shared()
        let repository = "project\(UInt32.random(in: .min ... .max)).git"
        let work = try Workspace.directory("work")
        let git = ["git", "-C", work.path, "-c", "user.name=t", "-c", "user.email=t@example.test"]
        try await Command.check([
            "git", "init", "-q", "--bare", origin.gitRoot.appendingPathComponent(repository).path,
        ])
        try await Command.check(git + ["init", "-q", "-b", "main"])
        for index in 0..<40 {
            let text = (0..<2000).map { "\(index) \($0) \(UInt64.random(in: .min ... .max))" }.joined(
                separator: "\n")
            try Workspace.write(text, to: work.appendingPathComponent("file\(index)"))
        }
        try await Command.check(git + ["add", "."])
        try await Command.check(git + ["commit", "-q", "-m", "first"])
        try await Command.check(
            git + ["push", "-q", origin.gitRoot.appendingPathComponent(repository).path, "main"])

        let parent = try await CulvertProxyProcess.authenticating()
        let proxy: CulvertProxyProcess
        if throughParent {
            proxy = try await CulvertProxyProcess([
                "--upstream", "http://alice:secret@127.0.0.1:\(parent.port)",
            ])
        } else {
            proxy = try await CulvertProxyProcess()
        }
        let clone = try Workspace.directory("clone").appendingPathComponent("clone")
        try await Command.check(
            ["git", "clone", "-q", "-b", "main", origin.url("/git/\(repository)"), clone.path],
            environment: ["https_proxy": proxy.url, "GIT_SSL_CAINFO": certificates.authority])
        let cloned = try await Command.check(["git", "-C", clone.path, "rev-parse", "HEAD^{tree}"]).text
        let original = try await Command.check(["git", "-C", work.path, "rev-parse", "HEAD^{tree}"]).text
        #expect(cloned == original)
        #expect(try await proxy.logLine(for: origin.authority).status == 200)
    }
}
