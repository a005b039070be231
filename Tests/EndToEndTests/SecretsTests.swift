import CulvertInterop
import Foundation
import Testing

/// Where passwords come from and where they must not be seen.
@Suite("secrets of the command line", .timeLimit(.minutes(2)), .requires(.python3))
struct SecretsTests {
    private struct Screen: Decodable {
        var shown: String
        var status: Int32
    }

    /// Runs the command on a terminal; each prompt gets its line.
    private func type(_ lines: [[String]], _ arguments: [String]) async throws -> Screen {
        let dialogue = String(decoding: try JSONEncoder().encode(lines), as: UTF8.self)
        let result = try await Command.check(
            ["python3", Workspace.peer("terminal.py"), dialogue, CulvertCommand.path] + arguments)
        return try JSONDecoder().decode(Screen.self, from: Data(result.output))
    }

    @Test("a person is asked at the terminal, once for each proxy, and the password is not shown")
    func prompt() async throws {
        let origin = try await ObedientOrigin(greeting: "hello")
        let proxy = try await CulvertProxyProcess.authenticating()
        let arguments = [
            "connect", "127.0.0.1:\(origin.port)", "--proxy", proxy.url, "--proxy-credentials", "prompt",
        ]
        let right = try await self.type(
            [
                ["User name for \(proxy.url): ", "alice"],
                ["Password for alice at \(proxy.url): ", "secret"],
            ], arguments)
        #expect(right.status == 0, "\(right.shown)")
        #expect(right.shown.hasSuffix("hello"))
        #expect(!right.shown.contains("secret"), "\(right.shown)")
        #expect(right.shown.components(separatedBy: "Password for").count == 2, "\(right.shown)")
        let wrong = try await self.type(
            [["User name for", "alice"], ["Password for", "guessed"]], arguments)
        #expect(wrong.status == 4, "\(wrong.shown)")
        #expect(!wrong.shown.contains("guessed"), "\(wrong.shown)")
    }

    @Test("without a terminal there is nobody to ask")
    func nobody() async throws {
        let result = try await Command.run([
            "setsid", "--wait", CulvertCommand.path, "connect", "127.0.0.1:1", "--proxy",
            "http://127.0.0.1:1",
            "--proxy-credentials", "prompt",
        ])
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.errors.contains("there is no terminal to ask"), "\(result.errors)")
    }

    @Test("passwords among the arguments are hidden from ps, and work")
    func processList() async throws {
        let origin = try await ObedientOrigin(greeting: "hello")
        let proxy = try await CulvertProxyProcess.authenticating()
        let url = proxy.url.replacingOccurrences(of: "://", with: "://alice:secret@")
        let client = try ChildProcess(
            [
                CulvertCommand.path, "connect", "127.0.0.1:\(origin.port)", "--route", "10.0.0.0/8 direct",
                "--route", "* \(url),\(url)", "--proxy-header", "Cookie: hunter2",
            ], input: .open)
        try await eventually("the tunnel stands") { client.output.text == "hello" }
        let shown = try await Command.check(["ps", "-o", "args=", "-p", "\(client.pid)"]).text
        #expect(shown.contains("--route"), "\(shown)")
        #expect(shown.contains("alice:******@127.0.0.1:\(proxy.port),http://alice:******@"), "\(shown)")
        #expect(!shown.contains("secret") && !shown.contains("hunter2"), "\(shown)")

        client.closeInput()

        let parent = try await CulvertProxyProcess(["--upstream", url])
        let parentShown = try await Command.check(["ps", "-o", "args=", "-p", "\(parent.process.pid)"]).text
        #expect(parentShown.contains("alice:******@"), "\(parentShown)")
    }
}
