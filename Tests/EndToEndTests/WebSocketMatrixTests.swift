import CulvertInterop
import Foundation
import Testing

/// `culvert ws` along every route to every server.
@Suite(
    "culvert ws along every route", .serialized, .timeLimit(.minutes(5)),
    .requires(.openssl, .python3, .node, .squid, .tinyproxy, .apache2))
struct WebSocketMatrixTests {
    private func arguments(
        _ path: String, _ origin: Origins.WebSocket, _ route: Route, _ arguments: [String]
    ) async throws -> [String] {
        let certificates = try await TestCertificates.shared()
        let server = try await Origins.shared.webSocket(origin)
        let trust = origin.isTLS ? ["--ca", certificates.authority] : []
        return [CulvertCommand.path, "ws", server.url(path)] + trust + (try await route.arguments())
            + arguments
    }

    /// Runs `culvert ws` for `path` of `origin`, along `route`, until it ends.
    private func ws(
        _ path: String, _ origin: Origins.WebSocket, _ route: Route, _ arguments: [String] = [],
        input: [UInt8],
        keepsInputOpen: Bool = false
    ) async throws -> CommandResult {
        let command = try await self.arguments(path, origin, route, arguments)
        guard keepsInputOpen else { return try await Command.run(command, input: input) }
        let process = try ChildProcess(command, input: .open)
        try process.write(input)
        let status = try await process.exit(within: .seconds(20))
        process.closeInput()
        return CommandResult(status: status, output: process.output.bytes, errors: process.errors.text)
    }

    /// Sends `input` to /echo and ends it only when as much has come back: Python's server drops the echoes it still
    /// owes when a close arrives, as it may.
    private func echo(
        _ origin: Origins.WebSocket, _ route: Route, _ arguments: [String], input: [UInt8]
    ) async throws -> CommandResult {
        let process = try ChildProcess(
            try await self.arguments("/echo", origin, route, arguments), input: .bytesThenOpen(input))
        try? await eventually("the whole echo", within: .seconds(20)) {
            process.output.count >= input.count || process.status != nil
        }
        process.closeInput()
        let status = try await process.exit(within: .seconds(20))
        return CommandResult(status: status, output: process.output.bytes, errors: process.errors.text)
    }

    @Test(
        "lines of text come back in order, empty and UTF-8 ones too", arguments: Route.allCases,
        Origins.WebSocket.allCases)
    func text(route: Route, origin: Origins.WebSocket) async throws {
        let megabyte = String(repeating: "0123456789abcdef", count: 1 << 16)
        var lines = ["hello", "", "Grüße, 世界, 🚇", "  spaces kept  ", megabyte, "tab\there"]
        lines += (0..<500).map { "line \($0)" }
        let input = Array((lines.joined(separator: "\n") + "\n").utf8)
        let result = try await self.echo(origin, route, [], input: input)
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, input, result.errors)
        #expect(result.lastErrorLine.hasPrefix("closed: 1000"), "\(result.errors)")
    }

    @Test(
        "a megabyte of binary comes back bit for bit", arguments: Route.allCases, Origins.WebSocket.allCases)
    func binary(route: Route, origin: Origins.WebSocket) async throws {
        try await self.binary(route, origin, count: 1 << 20)
    }

    @Test(
        "five megabytes of binary come back bit for bit", arguments: [Route.culvertToSquidBasic, .squidTLS],
        Origins.WebSocket.allCases)
    func moreBinary(route: Route, origin: Origins.WebSocket) async throws {
        try await self.binary(route, origin, count: 5 << 20)
    }

    private func binary(_ route: Route, _ origin: Origins.WebSocket, count: Int) async throws {
        let input = SystemRandom.bytes(count)
        let result = try await self.echo(origin, route, ["--binary"], input: input)
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, input, result.errors)
    }

    @Test(
        "the handshake carries what was asked for and nothing of the proxy's", arguments: Route.allCases,
        Origins.WebSocket.allCases)
    func handshake(route: Route, origin: Origins.WebSocket) async throws {
        struct Request: Decodable {
            var fields: [String: String]
            var subprotocol: String
        }
        let server = try await Origins.shared.webSocket(origin)
        let result = try await self.ws(
            "/request", origin, route,
            [
                "--subprotocol", "other", "--subprotocol", "culvert.v1", "-H", "X-Test: a value", "-H",
                "Origin: https://a.test",
            ],
            input: [])
        #expect(result.status == 0, "\(result.errors)")
        let line = try #require(result.lines.first, "\(result.errors)")
        let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
        #expect(request.subprotocol == "culvert.v1")
        #expect(request.fields["x-test"] == "a value")
        #expect(request.fields["origin"] == "https://a.test")
        #expect(request.fields["host"] == server.authority)
        #expect(request.fields.keys.allSatisfy { !$0.hasPrefix("proxy-") }, "\(request.fields)")
    }

    @Test(
        "a server's close of 4000 with a reason is told", arguments: Route.allCases,
        Origins.WebSocket.allCases)
    func closed(route: Route, origin: Origins.WebSocket) async throws {
        let result = try await self.ws(
            "/close-4000", origin, route, input: Array("a\n".utf8), keepsInputOpen: true)
        #expect(result.status == 1)
        let line = result.errors.split(separator: "\n").first { $0.hasPrefix("closed: 4000") }
        #expect(line?.contains("bye") == true, "\(result.errors)")
    }

    @Test(
        "what a server sends after our end of input is still printed",
        arguments: [Origins.WebSocket.node, .nodeTLS])
    func burst(origin: Origins.WebSocket) async throws {
        try await self.burst(origin, keepsInputOpen: false)
    }

    @Test(
        "the server's close ends it, although its input is still open", arguments: Origins.WebSocket.allCases)
    func serverCloses(origin: Origins.WebSocket) async throws {
        try await self.burst(origin, keepsInputOpen: true)
    }

    private func burst(_ origin: Origins.WebSocket, keepsInputOpen: Bool) async throws {
        let result = try await self.ws(
            "/burst", origin, .culvert, input: Array("go\n".utf8), keepsInputOpen: keepsInputOpen)
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, (0..<1000).flatMap { Array("message \($0)\n".utf8) }, result.errors)
    }

    @Test("--wait hears a late answer before the close", arguments: Origins.WebSocket.allCases)
    func wait(origin: Origins.WebSocket) async throws {
        let result = try await self.ws(
            "/echo", origin, .culvert, ["--wait", "1"], input: Array("one\ntwo\n".utf8))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text == "one\ntwo\n", "\(result.errors)")
    }

    @Test("a connection that breaks off is exit code 1, and soon", arguments: Origins.WebSocket.allCases)
    func aborted(origin: Origins.WebSocket) async throws {
        let start = ContinuousClock.now
        let result = try await self.ws(
            "/abort", origin, .culvert, input: Array("a\n".utf8), keepsInputOpen: true)
        #expect(ContinuousClock.now - start < .seconds(4))
        #expect(result.status == 1)
        #expect(
            result.lastErrorLine.hasPrefix("closed: 1006") || result.errors.contains("error:"),
            "\(result.errors)")
    }

    @Test(
        "a page that is not there is exit code 6, with the status", arguments: Route.allCases,
        Origins.WebSocket.allCases)
    func missing(route: Route, origin: Origins.WebSocket) async throws {
        let result = try await self.ws("/missing", origin, route, input: Array("a\n".utf8))
        #expect(result.status == 6)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("404"), "\(result.errors)")
        #expect(result.errors.contains("culvert ws: error:"), "\(result.errors)")
    }

    @Test(
        "a certificate of an authority that is not trusted is exit code 5", arguments: Route.allCases,
        [Origins.WebSocket.pythonTLS, .nodeTLS])
    func untrusted(route: Route, origin: Origins.WebSocket) async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await Origins.shared.webSocket(origin)
        let result = try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--ca", certificates.otherAuthority] + (try await route.arguments()),
            input: "a\n")
        #expect(result.status == 5, "\(result.errors)")
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("culvert ws: error:"), "\(result.errors)")
    }
}
