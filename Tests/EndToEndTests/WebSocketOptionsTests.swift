import CulvertInterop
import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing
import WebSocketWire

/// What `culvert ws` can be told about where it connects and whom it believes.
@Suite("culvert ws and its options", .serialized, .timeLimit(.minutes(3)))
struct WebSocketOptionsTests {
    private static func pin(of certificate: String) async throws -> String {
        let pipeline = """
            openssl x509 -in "$0" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
            """
        let digest = try await Command.check(["sh", "-c", pipeline, certificate])
        return "sha256//\(digest.text.trimmingCharacters(in: .whitespacesAndNewlines))"
    }

    @Test(
        "--pin: only the pinned key is believed, as openssl computes it", .requires(.openssl, .python3),
        arguments: [true, false])
    func pin(isRight: Bool) async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await Origins.shared.webSocket(.pythonTLS)
        let pin = try await Self.pin(of: isRight ? certificates.certificate : certificates.otherAuthority)
        let result = try await CulvertCommand.run(
            [
                "ws", server.url("/echo"), "--wait", "3", "--proxy", "none", "--ca", certificates.authority,
                "--pin", pin,
            ],
            input: "a\n")
        if isRight {
            #expect(result.text == "a\n", "\(result.errors)")
        } else {
            #expect(result.status == 5, "\(result.errors)")
            #expect(result.errors.contains("none of the pinned"), "\(result.errors)")
        }
    }

    @Test(
        "--server-name: the certificate is checked for that name", .requires(.openssl, .python3),
        arguments: [("localhost", true), ("other.test", false)])
    func serverName(name: String, passes: Bool) async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await Origins.shared.webSocket(.pythonTLS)
        let result = try await CulvertCommand.run(
            [
                "ws", "wss://127.0.0.1:\(server.port)/echo", "--proxy", "none", "--ca",
                certificates.authority,
                "--server-name", name,
            ], input: "a\n")
        #expect(result.status == (passes ? 0 : 5), "\(result.errors)")
        if !passes { #expect(result.text.isEmpty) }
    }

    @Test("--verbose: the parts of opening, with the proxy among them", .requires(.python3))
    func verbose() async throws {
        let server = try await Origins.shared.webSocket(.python)
        let proxy = try await CulvertProxyProcess()
        let result = try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--proxy", proxy.url, "--verbose", "--wait", "3"], input: "a\n")
        #expect(result.text == "a\n", "\(result.errors)")
        for part in ["connect ", "CONNECT at proxy", "upgrade ", "ms in all"] {
            #expect(result.errors.contains(part), "\(result.errors)")
        }
    }

    @Test("--unix-socket: the server behind it is reached", .requires(.python3))
    func unixSocket() async throws {
        let path = try Workspace.directory("unix").appendingPathComponent("s").path
        let script = """
            import asyncio, sys, websockets
            async def echo(socket):
                async for message in socket: await socket.send(message)
            async def main():
                async with websockets.unix_serve(echo, sys.argv[1]):
                    print("ready", flush=True)
                    await asyncio.get_running_loop().create_future()
            asyncio.run(main())
            """
        let process = try await LeashedProcess([PeerPython.path, "-c", script, path])
        try await eventually("the socket's path") { FileManager.default.fileExists(atPath: path) }
        let result = try await CulvertCommand.run(
            ["ws", "ws://localhost/", "--unix-socket", path, "--wait", "3"], input: "a\n")
        #expect(result.text == "a\n", "\(result.errors)")
        try await process.stop()
    }

    @Test("--max-redirects: the upgrade is followed to where the server sends it", arguments: [0, 1])
    func redirect(limit: Int) async throws {
        let result = try await withTCPServer { connection in
            try await WebSocketTestPeer.accept(connection).echo()
        } _: { server in
            try await withTCPServer { connection in
                _ = try await connection.readHead()
                try await connection.write(
                    "HTTP/1.1 308 Moved\r\nLocation: http://\(server)/\r\nContent-Length: 0\r\n\r\n")
                try await connection.finish()
            } _: { first in
                try await CulvertCommand.run(
                    [
                        "ws", "ws://\(first)/", "--wait", "3", "--proxy", "none", "--max-redirects",
                        "\(limit)",
                    ], input: "a\n")
            }
        }
        #expect(result.status == (limit == 0 ? 6 : 0), "\(result.errors)")
        #expect(result.text == (limit == 0 ? "" : "a\n"))
    }

    @Test("--reconnect: lines that come after the connection was lost go over the next one")
    func reconnect() async throws {
        try await withTCPServer { connection in
            // Says one word, waits for one line, and is gone.
            let peer = try await WebSocketTestPeer.accept(connection)
            try await peer.send(.text("hello"))
            _ = try await connection.read()
        } _: { server in
            let process = try ChildProcess(
                [CulvertCommand.path, "ws", "ws://\(server)/", "--proxy", "none", "--reconnect"], input: .open
            )
            for count in 1...3 {
                try await eventually("hello \(count)", within: .seconds(60)) {
                    process.output.bytes.count >= 6 * count
                }
                try process.write(Array("line \(count)\n".utf8))
            }
            try await eventually("the fourth connection", within: .seconds(60)) {
                process.output.bytes.count >= 24
            }
            process.signal(SIGINT)
            let status = try await process.exit(within: .seconds(30))
            #expect(status == 130, "\(process.errors.text)")
            #expect(process.errors.text.contains("connecting again in"), "\(process.errors.text)")
        }
    }
}
