import CulvertInterop
import Foundation
import Testing

/// Plain `http://` through `culvert proxy`, with the tools that people have.
@Suite("plain HTTP through culvert proxy", .serialized, .timeLimit(.minutes(5)), .requires(.curl, .python3))
struct ForwardedHTTPTests {
    private func curl(
        _ arguments: [String], _ proxy: CulvertProxyProcess, input: [UInt8]? = nil
    ) async throws -> CommandResult {
        try await Command.run(
            ["curl", "-sS", "--proxy", proxy.url] + arguments, input: input, within: .seconds(120))
    }

    @Test("the origin hears of the request and of this proxy, and of nothing that was meant for it")
    func fields() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess.authenticating(["--via", "edge"])
        let result = try await self.curl(
            [
                "--proxy-user", "alice:secret", "--proxy-header", "X-Proxy: 1", "-H", "Connection: X-Hop",
                "-H", "X-Hop: 1", "-H", "X-End: 1", origin.url("/fields"),
            ], proxy)
        let fields = try JSONDecoder().decode([String: String].self, from: Data(result.output))
        #expect(Set(fields.keys) == ["host", "user-agent", "accept", "x-end", "x-proxy", "via"])
        #expect(fields["host"] == origin.authority)
        #expect(fields["via"] == "1.1 edge")

        let line = try await proxy.logLine(for: origin.url("/fields"))
        #expect(
            line.method == "GET" && line.status == 200 && line.decision == "allow" && line.user == "alice")
        #expect(line.address == "127.0.0.1:\(origin.port)" || line.address == "[::1]:\(origin.port)")
        #expect(line.bytesUp ?? 0 > 50 && line.bytesDown ?? 0 > 50)
        #expect(!proxy.process.output.text.contains("secret"))
    }

    @Test("fifty requests of one client are two connections: its own and one to the origin")
    func reuse() async throws {
        // One of its own: nobody else's connections count.
        let origin = try await Origins.startPlainWeb()
        let proxy = try await CulvertProxyProcess()
        let before = try await Self.connections(of: origin)
        let result = try await self.curl(
            ["-w", "connects %{num_connects}\n", origin.url("/hello?[1-50]")], proxy)
        let connects = result.lines.filter { $0.hasPrefix("connects ") }.compactMap { Int($0.dropFirst(9)) }
        #expect(connects.count == 50)
        #expect(connects.reduce(0, +) == 1)
        // The question itself is a connection too.
        #expect(try await Self.connections(of: origin) - before == 2)
        try await eventually("fifty lines") { try proxy.log().count == 50 }
    }

    private static func connections(of origin: Origins.Server) async throws -> Int {
        let text = try await Command.check(["curl", "-sS", origin.url("/connections")]).text
        return try Int(text).unwrapped("a number of connections")
    }

    @Test(
        "uploads arrive whole, with a length and in chunks, by HTTP/1.1 and 1.0",
        arguments: [
            ["-T", "-"], ["-T", "FILE"], ["--data-binary", "@FILE"], ["-0", "-T", "FILE"],
            ["-H", "Expect: 100-continue", "-T", "FILE"],
        ])
    func upload(arguments: [String]) async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await OwnProxies.shared.open()
        let file = try Workspace.directory("upload").appendingPathComponent("body")
        let body = [UInt8](SystemRandom.bytes(3_000_000))
        try Data(body).write(to: file)
        let digest = try await Command.check(["openssl", "sha256", "-r", file.path]).text.prefix(64)
        let result = try await self.curl(
            ["-v"] + arguments.map { $0.replacingOccurrences(of: "FILE", with: file.path) } + [
                origin.url("/sink")
            ],
            proxy, input: body)
        #expect(result.text == "\(digest) 3000000\n", "\(result.errors.suffix(500))")
        let continues = result.errors.components("< HTTP/1.1 100").count - 1
        #expect(continues == (arguments.contains("Expect: 100-continue") ? 1 : 0) || continues == 1)
    }

    @Test(
        "half a gigabyte down and up stays out of the proxy's memory",
        .enabled(if: procIsThere, "reads /proc"))
    func flatMemory() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess()
        _ = try await self.curl([origin.url("/hello")], proxy)
        let before = try Self.residentKilobytes(proxy.process.pid)
        let pipeline = """
            curl -sS --proxy "$1" --limit-rate 200M "$2" | curl -sS --proxy "$1" -T - "$3"
            """
        let count = 512 << 20
        let result = try await Command.run(
            ["sh", "-c", pipeline, "sh", proxy.url, origin.url("/bytes/\(count)"), origin.url("/sink")],
            within: .seconds(240))
        let digest = try await Command.check(
            ["curl", "-sS", origin.url("/digest/\(count)")], within: .seconds(120)
        ).text
        #expect(result.text == "\(digest) \(count)\n", "\(result.errors)")
        // The high-water mark: what it ever held, not what it gave back.
        #expect(try Self.residentKilobytes(proxy.process.pid) - before < 64 << 10)
    }

    private static let procIsThere = FileManager.default.fileExists(atPath: "/proc/self/status")

    private static func residentKilobytes(_ pid: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }.unwrapped("VmHWM")
        return try Int(line.filter(\.isNumber)).unwrapped("VmHWM's number")
    }

    @Test("with -p the same request goes in a tunnel")
    func tunnel() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess()
        let result = try await self.curl(["-p", origin.url("/hello")], proxy)
        #expect(result.text == "hello from the origin\n")
        #expect(try await proxy.logLine(for: origin.authority).method == "CONNECT")
    }

    @Test("a 407 is answered on the same connection, body and all")
    func challenge() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await OwnProxies.shared.authenticating()
        let result = try await self.curl(
            ["-v", "--proxy-anyauth", "--proxy-user", "alice:secret", "-d", "hello", origin.url("/sink")],
            proxy)
        #expect(result.text.hasSuffix(" 5\n"), "\(result.errors)")
        #expect(result.errors.contains("< HTTP/1.1 407"))
        let wrong = try await self.curl(["-v", "--proxy-user", "alice:wrong", origin.url("/hello")], proxy)
        #expect(wrong.errors.contains("< HTTP/1.1 407") && !wrong.text.contains("origin"))
    }

    @Test(
        "what cannot be reached says so in status and Proxy-Status",
        arguments: [
            ("localhost:REFUSED", 502, "connection_refused"), ("nonexistent.invalid", 502, "dns_error"),
        ])
    func unreachable(host: String, status: Int, error: String) async throws {
        let proxy = try await OwnProxies.shared.open()
        let port = try LoopbackPort.free()
        let url = "http://\(host.replacingOccurrences(of: "REFUSED", with: "\(port)"))/"
        let result = try await self.curl(["-i", url], proxy)
        #expect(result.text.hasPrefix("HTTP/1.1 \(status) "))
        #expect(result.text.contains("; error=\(error)\r\n"), "\(result.text)")
    }

    @Test(
        "through a parent the client never sees its 407, and the parent sees one connection",
        .requires(.squid, .tinyproxy),
        arguments: [ProxyServers.Kind.squidBasic, .tinyproxyBasic, .squidDigest])
    func parent(kind: ProxyServers.Kind) async throws {
        let origin = try await Origins.shared.plainWeb()
        let parent = try await ProxyServers.shared.server(kind)
        let proxy = try await CulvertProxyProcess(["--upstream", parent.url(credentials: "alice:secret@")])
        let result = try await self.curl(["-v", origin.url("/hello?[1-5]")], proxy)
        #expect(result.text == String(repeating: "hello from the origin\n", count: 5), "\(result.errors)")
        #expect(!result.errors.contains("HTTP/1.1 407"))
        let upload = try await self.curl(["-d", "hello", origin.url("/sink")], proxy)
        #expect(upload.text.hasSuffix(" 5\n"))
        // The first request of another proxy has a body, and must be sent twice.
        let other = try await CulvertProxyProcess(["--upstream", parent.url(credentials: "alice:secret@")])
        let first = try await self.curl(["-v", "-d", "hello", origin.url("/sink")], other)
        #expect(first.text.hasSuffix(" 5\n") && !first.errors.contains("HTTP/1.1 407"), "\(first.errors)")
        // tinyproxy answers a wrong password with 401, which could be the origin's.
        guard kind != .tinyproxyBasic else { return }
        let wrong = try await CulvertProxyProcess(["--upstream", parent.url(credentials: "alice:wrong@")])
        let refused = try await self.curl(["-i", origin.url("/hello")], wrong)
        #expect(
            refused.text.hasPrefix("HTTP/1.1 502 ") && !refused.text.contains("Authenticate"),
            "\(refused.text)")
    }

    @Test(
        "two proxies that are each other's parent end a request, plain or tunnelled", arguments: [[], ["-p"]])
    func loopOfTwo(options: [String]) async throws {
        let (first, second) = (try LoopbackPort.free(), try LoopbackPort.free())
        func start(_ port: Int, parent: Int) async throws -> CulvertProxyProcess {
            try await CulvertProxyProcess(
                ["--upstream", "http://127.0.0.1:\(parent)"], listen: "127.0.0.1:\(port)")
        }
        let proxies = [try await start(first, parent: second), try await start(second, parent: first)]
        let result = try await self.curl(options + ["-i", "http://far.invalid/"], proxies[0])
        let status = options.isEmpty ? "508" : "502"
        #expect((result.text + result.errors).contains(status), "\(result.text) \(result.errors)")
        try await eventually("the loop is told") {
            try proxies.flatMap { try $0.log() }.contains { $0.status == 508 }
        }
        #expect(try proxies.flatMap { try $0.log() }.count <= 3)
    }

    @Test("a WebSocket upgrade in absolute form is a tunnel behind a real 101")
    func upgrade() async throws {
        let echo = try await Origins.shared.webSocket(.python)
        let proxy = try await CulvertProxyProcess()
        // "hi" in a masked frame whose key is zero rides with the request: it must wait for the 101.
        let script = """
            import socket, sys
            host, port = sys.argv[1], int(sys.argv[2])
            connection = socket.create_connection(("127.0.0.1", port), 20)
            connection.sendall((f"GET http://{host}/echo HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: Upgrade\\r\\n"
                "Upgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n"
                "\\r\\n").encode() + bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi")
            answer = b""
            while not answer.endswith(bytes([0x81, 0x02]) + b"hi"):
                piece = connection.recv(4096)
                assert piece, answer
                answer += piece
            assert answer.startswith(b"HTTP/1.1 101 ") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer, answer
            print("echoed")
            """
        let result = try await Command.run([PeerPython.path, "-c", script, echo.authority, "\(proxy.port)"])
        #expect(result.text == "echoed\n", "\(result.errors)")
        try await eventually("the tunnel's line") { try proxy.log().contains { $0.status == 101 } }
    }
}
