import CulvertInterop
import Foundation
import Testing

/// Standard input, output and error that are not what one expects.
@Suite("unusual standard streams", .serialized, .timeLimit(.minutes(2)))
struct StandardStreamTests {
    /// Runs `culvert` with `arguments` in a shell, behind which `redirections` stand.
    private func shell(_ arguments: [String], _ redirections: String, input: [UInt8]? = nil) async throws
        -> CommandResult
    {
        try await Command.run(
            ["sh", "-c", "\"$@\" \(redirections)", "sh", CulvertCommand.path] + arguments, input: input,
            within: .seconds(20))
    }

    @Test("standard error that takes nothing changes no exit code", arguments: ["2>&-", "2>/dev/full"])
    func errors(redirection: String) async throws {
        let port = try LoopbackPort.free()
        let connect = try await self.shell(["connect", "127.0.0.1:\(port)", "--proxy", "none"], redirection)
        #expect(connect.status == 3)
        let ws = try await self.shell(["ws", "ws://127.0.0.1:\(port)/", "--proxy", "none"], redirection)
        #expect(ws.status == 3)
        let usage = try await self.shell(["connect", "nonsense"], redirection)
        #expect(usage.status == 64)
    }

    @Test("standard output that takes nothing is exit code 1", arguments: [">&-", ">/dev/full"])
    func output(redirection: String) async throws {
        let origin = try await ObedientOrigin(greeting: "220 ready\r\n")
        let result = try await self.shell(
            ["connect", "127.0.0.1:\(origin.port)", "--proxy", "none"], redirection, input: [])
        #expect(result.status == 1, "\(result.errors)")
        #expect(result.errors.contains("standard output"), "\(result.errors)")
    }

    @Test("standard input may be a file, and may be empty", .requires(.node))
    func input() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let file = try Workspace.directory("input").appendingPathComponent("input")
        try Workspace.write("one\ntwo, without an end", to: file)
        let arguments = ["ws", server.url("/echo"), "--proxy", "none"]
        let full = try await self.shell(arguments, "<\(file.path)")
        #expect(full.text == "one\ntwo, without an end\n", "\(full.errors)")
        #expect(full.status == 0)
        let empty = try await self.shell(arguments, "</dev/null")
        #expect(empty.status == 0, "\(empty.errors)")
        #expect(empty.output.isEmpty)
    }

    @Test("the proxy goes on when its log takes nothing", .requires(.curl, .python3, .openssl))
    func accessLog() async throws {
        let origin = try await Origins.shared.web()
        let certificates = try await TestCertificates.shared()
        let proxy = try await CulvertProxyProcess(["--access-log", "/dev/full"])
        for _ in 0..<3 {
            let result = try await Command.run([
                "curl", "-sS", "--proxy", proxy.url, "--cacert", certificates.authority, origin.url("/hello"),
            ])
            #expect(result.text == "hello from the origin\n", "\(result.errors)")
        }
        #expect(!proxy.process.hasEnded)
    }

    @Test("text that is no UTF-8 is refused, not sent", .requires(.node))
    func notUTF8() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let result = try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--proxy", "none"], bytes: Array("fine\n".utf8) + [0x61, 0xFF, 0x0A])
        #expect(result.status == 65, "\(result.errors)")
        #expect(result.errors.contains("UTF-8"), "\(result.errors)")
    }

    @Test("an incoming message over the limit is refused with 1009", .requires(.node))
    func tooLong() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let received = try await CulvertCommand.run(
            ["ws", server.url("/request"), "--proxy", "none", "--max-message-bytes", "100", "--wait", "1"],
            input: "x\n")
        #expect(received.status == 1, "\(received.errors)")
        #expect(received.errors.contains("1009"), "\(received.errors)")
        #expect(received.output.isEmpty)
    }
}
