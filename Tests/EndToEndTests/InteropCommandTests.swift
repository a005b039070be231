import CulvertInterop
import Foundation
import Testing

/// The harness has to be able to fail, and must not pass what it did not see.
@Suite("culvert interop, its verdicts and exit statuses", .serialized, .timeLimit(.minutes(3)))
struct InteropCommandTests {
    /// A scenario file with one server, run along the direct way.
    private func scenarios(command: [String], version: [String] = ["python3", "--version"]) throws -> String {
        let file = try Workspace.directory("scenarios").appendingPathComponent("scenarios.json")
        let server: [String: Any] = [
            "name": "s", "title": "S", "packages": "apt-get install s", "version": version,
            "command": command,
        ]
        let text: [String: Any] = ["name": "text", "do": "echo", "kind": "text", "bytes": 100]
        let section: [String: Any] = [
            "name": "one", "title": "One", "servers": ["s"], "routes": ["direct"], "checks": ["text"],
            "transports": ["ws", "wss"], "rows": "server", "columns": "check",
        ]
        let document: [String: Any] = [
            "servers": [server], "routes": [["name": "direct", "hops": [String]()] as [String: Any]],
            "checks": [text], "sections": [section], "publicChecks": ["text"],
        ]
        try JSONSerialization.data(withJSONObject: document).write(to: file)
        return file.path
    }

    /// An echo server of Peers/websocket_echo.py's kind that changes a letter.
    private static let wrongEcho = """
        import asyncio, sys
        from websockets.asyncio.server import serve
        async def echo(connection):
            async for message in connection:
                await connection.send("X" + message[1:])
        async def main():
            async with serve(echo, "127.0.0.1", int(sys.argv[1])):
                await asyncio.get_running_loop().create_future()
        asyncio.run(main())
        """

    @Test("a server that changes a letter fails for every client, and the run with it", .requires(.python3))
    func wrongEcho() async throws {
        let file = try self.scenarios(command: ["{python}", "-c", Self.wrongEcho, "{port}"])
        let (report, result) = try await InteropReport.run(["--scenarios", file])
        #expect(result.status == 1)
        #expect(report.outcome == "failed")
        let verdicts = Set(
            report.results.filter { $0.client != "libcurl ws" }.map { "\($0.verdict) \($0.cause ?? "")" })
        #expect(verdicts == ["fail mismatch"])
        #expect(result.text.contains("first differ at 0"), "\(result.text)")
    }

    @Test("a server that does not start is a failure, with what it said", .requires(.python3))
    func broken() async throws {
        let file = try self.scenarios(command: ["python3", "-c", "raise SystemExit('no such luck')"])
        let (report, result) = try await InteropReport.run(["--scenarios", file])
        #expect(result.status == 1)
        #expect(report.results.contains { $0.detail?.contains("no such luck") == true })
    }

    @Test(
        "a server that is not installed is unavailable, and a failure where it is required",
        .requires(.python3))
    func missing() async throws {
        let file = try self.scenarios(command: ["no-such-server"], version: ["no-such-server", "--version"])
        let (report, result) = try await InteropReport.run(["--scenarios", file])
        #expect(result.status == 69)
        #expect(report.summary["passed"] == 0)
        #expect(report.results.contains { $0.detail == "S is missing: apt-get install s" })
        let (_, required) = try await InteropReport.run(["--scenarios", file, "--require-peers"])
        #expect(required.status == 1)
    }

    @Test(
        "a server on the internet that cannot be reached is told with the phase, and passes nothing",
        .requires(.python3))
    func unreachable() async throws {
        let port = try LoopbackPort.free()
        let (report, result) = try await InteropReport.run([
            "--target", "ws://127.0.0.1:\(port)/", "--target", "https://nothing.invalid/", "--proxy", "none",
        ])
        #expect(result.status == 3)
        #expect(report.outcome == "unreachable")
        #expect(report.summary["passed"] == 0 && report.summary["failed"] == 0)
        #expect((report.summary["unreachable"] ?? 0) >= 4)
        #expect(report.results.contains { $0.detail?.contains("502") == true }, "\(report.results)")
    }

    @Test("a target that can be reached is asked through our proxy", .requires(.python3))
    func target() async throws {
        let server = try await Origins.shared.webSocket(.python)
        let (report, result) = try await InteropReport.run(
            ["--target", server.url("/echo"), "--proxy", "none"], within: .seconds(90))
        #expect(result.status == 0, "\(result.text)")
        #expect(report.results("public", client: "culvert", verdict: "pass").count >= 3)
    }

    @Test(
        "a mistake is told with its exit status",
        arguments: [
            (["--scenarios", "/nonexistent"], 66, "/nonexistent"),
            (["--server", "nobody"], 64, "nothing is named 'nobody'; there are origin, "),
            (["--target", "ftp://x"], 64, "expected a ws, wss, http or https URL"),
            (["--jobs", "0"], 64, "--jobs must be from 1 to 64"),
        ] as [([String], Int32, String)])
    func mistake(arguments: [String], status: Int32, said: String) async throws {
        let result = try await CulvertCommand.run(["interop"] + arguments)
        #expect(result.status == status, "\(result.errors)")
        #expect(result.errors.contains(said), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    @Test("a report that cannot be written is exit status 73", .requires(.python3))
    func unwritable() async throws {
        let result = try await CulvertCommand.run([
            "interop", "--section", "routes", "--route", "direct", "--check", "ping", "--json",
            "/nonexistent/x",
        ])
        #expect(result.status == 73, "\(result.errors)")
        #expect(result.errors.contains("--json /nonexistent/x"), "\(result.errors)")
    }

    @Test("--list names what can be chosen")
    func list() async throws {
        let result = try await CulvertCommand.run(["interop", "--list"])
        #expect(result.status == 0)
        #expect(result.lines.map { $0.prefix { $0 != ":" } } == ["sections", "servers", "routes", "checks"])
    }
}
