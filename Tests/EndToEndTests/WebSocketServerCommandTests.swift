import CulvertInterop
import Foundation
import Testing

/// `culvert ws --listen --echo` on a free loopback port.
private struct EchoServerProcess: Sendable {
    let process: LeashedProcess
    let port: Int

    init(_ arguments: [String] = []) async throws {
        self.process = try await LeashedProcess(
            [CulvertCommand.path, "ws", "--listen", "127.0.0.1:0", "--echo"] + arguments)
        self.port = try await self.process.port(
            after: "culvert ws: listening on ", in: self.process.errors)
    }
}

@Suite("culvert ws --listen", .serialized, .timeLimit(.minutes(5)), .requires(.openssl))
struct WebSocketServerCommandTests {
    private static let checks: Set<String> = [
        "text", "binary", "empty", "125", "126", "65535", "65536", "16MB", "fragments", "ping", "close-1000",
        "close-3000",
    ]

    /// Other makers' clients, through a tunnel.
    enum ForeignClient: String, CaseIterable, Sendable {
        case node = "ws_client.js"
        case python = "websockets_client.py"

        var program: String { self == .node ? "node" : PeerPython.path }
    }

    @Test(
        "Node's ws and Python's websockets get their messages back, compressed and not, ws and wss",
        .requires(.node, .python3), arguments: ForeignClient.allCases, [true, false])
    func foreignClients(client: ForeignClient, isTLS: Bool) async throws {
        let certificates = try await TestCertificates.shared()
        let proxy = try await CulvertProxyProcess()
        let script = try ResourceFolder.find().appendingPathComponent("peers/\(client.rawValue)").path
        for isCompressed in [true, false] {
            let tls = isTLS ? ["--cert", certificates.certificate, "--key", certificates.key] : []
            let server = try await EchoServerProcess(
                tls + ["--max-message-bytes", "20000000"] + (isCompressed ? ["--compress"] : []))
            let result = try await Command.run(
                [
                    client.program, script, "\(isTLS ? "wss" : "ws")://localhost:\(server.port)/", proxy.url,
                    certificates.authority,
                ],
                environment: ["NODE_PATH": "/usr/share/nodejs", "PYTHONDONTWRITEBYTECODE": "1"],
                input: [])
            let failed = result.lines.filter { !$0.hasPrefix("pass ") }
            #expect(failed.isEmpty, "\(failed) \(result.errors)")
            let passed = Set(result.lines.map { String($0.dropFirst("pass ".count)) })
            let expected = Self.checks.union(isCompressed ? ["compression"] : [])
            #expect(passed.isSuperset(of: expected), "\(expected.subtracting(passed)) \(result.errors)")
            #expect(passed.contains("compression") == isCompressed)
        }
    }

    @Test("curl is told to upgrade, and upgrades", .requires(.curl))
    func curl() async throws {
        let server = try await EchoServerProcess(["--subprotocol", "a", "-H", "Server: culvert"])
        let url = "http://127.0.0.1:\(server.port)/"
        let plain = try await Command.run(["curl", "-sS", "-i", "--noproxy", "*", url], input: [])
        #expect(plain.text.hasPrefix("HTTP/1.1 426 "), "\(plain.text) \(plain.errors)")
        let upgrade = try await Command.run(
            [
                "curl", "-sS", "-i", "--noproxy", "*", "--http1.1", "--max-time", "1",
                "-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13",
                "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "-H", "Sec-WebSocket-Protocol: b, a",
                url,
            ], input: [])
        #expect(upgrade.text.hasPrefix("HTTP/1.1 101 "), "\(upgrade.text) \(upgrade.errors)")
        #expect(upgrade.text.contains("Sec-WebSocket-Protocol: a"))
        #expect(upgrade.text.contains("Server: culvert"))
    }

    @Test("a page of an origin that is not let in is refused")
    func origin() async throws {
        let server = try await EchoServerProcess(["--allow-origin", "https://app.example"])
        for (origin, status) in [("https://app.example", Int32(0)), ("https://evil.example", 6)] {
            let result = try await CulvertCommand.run(
                ["ws", "ws://127.0.0.1:\(server.port)/", "--proxy", "none", "-H", "Origin: \(origin)"])
            #expect(result.status == status, "\(origin): \(result.errors)")
        }
    }

    @Test("SIGTERM closes with 1001 and ends with 0")
    func stop() async throws {
        let server = try await EchoServerProcess()
        let client = try ChildProcess(
            [CulvertCommand.path, "ws", "ws://127.0.0.1:\(server.port)/", "--proxy", "none"], input: .open)
        try client.write(Array("hello\n".utf8))
        try await eventually("the echo") { client.output.text.contains("hello") }
        kill(server.process.pid, SIGTERM)
        let status = try await client.exit(within: .seconds(20))
        #expect(status == 0)
        #expect(client.errors.text.contains("1001"), "\(client.errors.text)")
    }

    @Test(
        "what does not belong together is said",
        arguments: [
            (["--listen", "127.0.0.1:0"], "--echo"), (["--echo", "ws://a/"], "--listen"),
            (["--listen", "echo.example:1", "--echo"], "no address and port"),
            (["--listen", "127.0.0.1:0", "--echo", "ws://a/"], "not both"),
            (["--listen", "127.0.0.1:0", "--echo", "--binary"], "--binary"),
            (["--listen", "127.0.0.1:0", "--echo", "--cert", "/x"], "--key"), ([], "<url>"),
        ])
    func usage(arguments: [String], word: String) async throws {
        let result = try await CulvertCommand.run(["ws"] + arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(word), "\(result.errors)")
    }
}
