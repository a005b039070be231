import CulvertInterop
import CulvertWebSocket
import Foundation
import NIOCore
import Testing

/// permessage-deflate with Python's `websockets` and Node's `ws`, which both agree to it.
@Suite(
    "compression with other makers' servers", .serialized, .timeLimit(.minutes(2)),
    .requires(.openssl, .python3, .node))
struct WebSocketCompressionTests {
    private func command(
        _ path: String, _ origin: Origins.WebSocket, _ proxy: String, _ arguments: [String]
    ) async throws -> [String] {
        let certificates = try await TestCertificates.shared()
        let server = try await Origins.shared.webSocket(origin)
        let trust = origin.isTLS ? ["--ca", certificates.authority] : []
        return [CulvertCommand.path, "ws", server.url(path), "--proxy", proxy] + trust + arguments
    }

    /// Sends the input and ends it when as much has come back.
    private func echo(_ command: [String], input: [UInt8]) async throws -> CommandResult {
        let process = try ChildProcess(command, input: .bytesThenOpen(input))
        try? await eventually("the whole echo", within: .seconds(20)) {
            process.output.count >= input.count || process.status != nil
        }
        process.closeInput()
        let status = try await process.exit(within: .seconds(20))
        return CommandResult(status: status, output: process.output.bytes, errors: process.errors.text)
    }

    @Test(
        "--compress: text crosses the tunnel small and arrives as it was, in both directions",
        arguments: Origins.WebSocket.allCases, [true, false])
    func text(origin: Origins.WebSocket, isCompressed: Bool) async throws {
        let proxy = try await CulvertProxyProcess()
        let line = String(repeating: "the quick brown fox jumps over the lazy dog. ", count: 500)
        let input = Array((0..<40).flatMap { Array("\($0): \(line)\n".utf8) })
        let command = try await self.command("/echo", origin, proxy.url, isCompressed ? ["--compress"] : [])
        let result = try await self.echo(command, input: input)
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, input, result.errors)
        #expect(!result.errors.contains("does not agree"), "\(result.errors)")

        let server = try await Origins.shared.webSocket(origin)
        let entry = try await proxy.logLine(for: server.authority)
        for bytes in [entry.bytesUp, entry.bytesDown] {
            let crossed = try bytes.unwrapped("bytes in the access log")
            #expect(isCompressed ? crossed < input.count / 20 : crossed > input.count)
        }
    }

    @Test(
        "--compress: what no compression shortens arrives bit for bit", arguments: Origins.WebSocket.allCases)
    func noise(origin: Origins.WebSocket) async throws {
        let input = SystemRandom.bytes(3 << 20)
        let result = try await self.echo(
            try await self.command("/echo", origin, "none", ["--compress", "--binary"]), input: input)
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, input, result.errors)
    }

    @Test("compression is offered only when asked for", arguments: Origins.WebSocket.allCases, [true, false])
    func offer(origin: Origins.WebSocket, isCompressed: Bool) async throws {
        struct Request: Decodable {
            var fields: [String: String]
            var extensions: String
        }
        let result = try await Command.run(
            try await self.command("/request", origin, "none", isCompressed ? ["--compress"] : []), input: [])
        let line = try #require(result.lines.first, "\(result.errors)")
        let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
        let offer = request.fields["sec-websocket-extensions"]
        #expect(offer == (isCompressed ? "permessage-deflate; client_max_window_bits" : nil))
        #expect(request.extensions == (isCompressed ? "permessage-deflate" : ""))
    }

    @Test("a server that declines is told of, and messages go plain", arguments: Origins.WebSocket.allCases)
    func declined(origin: Origins.WebSocket) async throws {
        let input = Array((String(repeating: "plain ", count: 1000) + "\n").utf8)
        let result = try await self.echo(
            try await self.command("/plain", origin, "none", ["--compress"]), input: input)
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, input, result.errors)
        #expect(result.errors.contains("does not agree to compress"), "\(result.errors)")
    }

    private static let variants: [WebSocketDeflateOptions] =
        (9...15).map { bits in .init { $0.outgoingWindowBits = bits } }
        + (9...15).map { bits in .init { $0.incomingWindowBits = bits } }
        + [
            .init { $0.keepsOutgoingContext = false }, .init { $0.keepsIncomingContext = false },
            .init {
                $0.keepsIncomingContext = false
                $0.keepsOutgoingContext = false
                $0.incomingWindowBits = 9
                $0.outgoingWindowBits = 9
                $0.level = 1
                $0.memoryLevel = 1
                $0.threshold = 0
            },
            .init { $0.level = 9 },
        ]

    @Test("every window, with and without context", arguments: variants, [Origins.WebSocket.python, .node])
    func parameters(options: WebSocketDeflateOptions, origin: Origins.WebSocket) async throws {
        try await self.converse(options, origin)
    }

    /// Python's zlib refuses 8 bits for what it compresses.
    @Test("a window of 8 bits")
    func eightBits() async throws {
        try await self.converse(.init { $0.outgoingWindowBits = 8 }, .python)
        try await self.converse(.init { $0.outgoingWindowBits = 8 }, .node)
        try await self.converse(.init { $0.incomingWindowBits = 8 }, .node)
    }

    private func converse(_ options: WebSocketDeflateOptions, _ origin: Origins.WebSocket) async throws {
        let server = try await Origins.shared.webSocket(origin)
        let client = WebSocketClient(
            configuration: .init {
                $0.proxy = .none
                $0.compression = .deflate(options)
            })
        try await client.withConnection(to: server.url("/echo")) { socket in
            let agreed = try #require(socket.compression, "the server declined")
            #expect(agreed.serverMaxWindowBits <= options.incomingWindowBits)
            let noise = SystemRandom.bytes(3000)
            for round in 0..<6 {
                // What was sent before comes again, at distances around each window's size.
                let bytes = ByteBuffer(bytes: noise.prefix(200 + round * 400) + noise + noise)
                try await socket.send(.binary(bytes))
                #expect(try await socket.receive() == .binary(bytes))
                let text = WebSocketMessage.text((0..<3000).map { "\($0 * round), é" }.joined())
                try await socket.send(text)
                #expect(try await socket.receive() == text)
            }
            try await socket.send(.text) { writer in
                for row in 0..<100 { try await writer.write("row \(row)\n") }
            }
            #expect(try await socket.receive() == .text((0..<100).map { "row \($0)\n" }.joined()))
        }
    }
}
