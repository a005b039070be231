import CulvertInterop
import Foundation
import Testing

/// HTTP/2 from the client to the proxy: streams that are tunnels or plain requests.
@Suite(
    "HTTP/2 to the proxy", .serialized, .timeLimit(.minutes(4)), .requires(.curl, .openssl, .python3, .node))
struct HTTP2ProxyTests {
    /// What Peers/http2_client.js tells.
    private struct Answer: Decodable {
        struct Result: Decodable {
            var status: Int?
            var fields: [String: Field]?
            var trailers: [String: Field]?
            var bytes: Int
            var text: String
            /// Of RST_STREAM; 0 is none.
            var reset: Int
        }
        var results: [Result]
        /// Its code, where one came.
        var goaway: Int?
    }

    /// Node gives numbers and lists for some fields.
    private struct Field: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            self.text = try? decoder.singleValueContainer().decode(String.self)
        }
    }

    private static let internalError = 2
    private static let connectError = 10

    private func command(
        _ proxy: CulvertProxyProcess, _ requests: [[String: Any]], identity: Bool = false
    ) async throws -> [String] {
        let certificates = try await TestCertificates.shared()
        let text = String(decoding: try JSONSerialization.data(withJSONObject: requests), as: UTF8.self)
        return ["node", Workspace.peer("http2_client.js"), "\(proxy.port)", certificates.authority, text]
            + (identity ? [certificates.certificate, certificates.key] : [])
    }

    private func answer(in lines: [String]) throws -> Answer {
        let line = try lines.first { $0.hasPrefix("{") }.unwrapped("the client's results")
        return try JSONDecoder().decode(Answer.self, from: Data(line.utf8))
    }

    private func send(
        _ requests: [[String: Any]], through proxy: CulvertProxyProcess, identity: Bool = false
    ) async throws -> Answer {
        try self.answer(in: try await Command.check(self.command(proxy, requests, identity: identity)).lines)
    }

    private func connect(_ port: Int, _ more: [String: Any] = [:]) -> [String: Any] {
        ["headers": [":method": "CONNECT", ":authority": "127.0.0.1:\(port)"]].merging(more) { $1 }
    }

    private func plain(
        _ method: String, _ origin: LeashedProcess, _ path: String, _ more: [String: Any] = [:]
    ) async throws -> [String: Any] {
        let headers = [
            ":method": method, ":scheme": "http", ":authority": "127.0.0.1:\(try await origin.readyPort())",
            ":path": path,
        ]
        return ["headers": headers].merging(more) { $1 }
    }

    /// Peers/origin.py without TLS.
    private func origin() async throws -> LeashedProcess {
        try await LeashedProcess([
            PeerPython.path, Workspace.peer("origin.py"), try Workspace.directory("git").path,
        ])
    }

    // MARK: Tunnels

    @Test("bytes and the end of each direction cross a tunnel; the target's reset is a reset of the stream")
    func tunnel() async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess.withTLS()
        let answer = try await self.send(
            [
                self.connect(origin.port, ["body": "LATE! question"]),
                self.connect(origin.port, ["body": "echo"]),
                self.connect(origin.port, ["open": true, "body": "RST!"]),
            ], through: proxy)
        #expect(answer.results.map(\.status) == [200, 200, 200])
        #expect(answer.results.map(\.text).prefix(2) == ["after the end", "echo"])
        #expect(answer.results.map(\.reset) == [0, 0, Self.connectError])
        let line = try await proxy.logLine(for: "127.0.0.1:\(origin.port)")
        #expect(line.method == "CONNECT")
        #expect(line.status == 200)
    }

    @Test("a client that resets its stream resets the target")
    func clientReset() async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess.withTLS()
        // It sends the end of the process, and no END_STREAM.
        let process = try await LeashedProcess(
            try await self.command(proxy, [self.connect(origin.port, ["open": true])]))
        try await eventually("the tunnel stands") { process.output.lines.contains("granted") }
        try await process.stop()
        try await eventually("the target's connection is reset") { origin.resets == 1 }
        #expect(try await proxy.logLine(for: "127.0.0.1:\(origin.port)").closedBy == "client")
    }

    @Test("a hundred tunnels live on one connection, and more wait for their turn")
    func many() async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess.withTLS()
        let answer = try await self.send(
            [self.connect(origin.port, ["body": "echo", "times": 150])], through: proxy)
        #expect(answer.results.count == 150)
        #expect(answer.results.allSatisfy { $0.status == 200 && $0.text == "echo" && $0.reset == 0 })
    }

    @Test("refusals have their status, and leave the connection for the next stream")
    func refusals() async throws {
        let origin = try await ObedientOrigin()
        let closed = try LoopbackPort.free()
        let proxy = try await CulvertProxyProcess.withTLS([
            "--connect-port", "\(origin.port)", "--connect-port", "\(closed)",
        ])
        let answer = try await self.send(
            [
                self.connect(1), self.connect(closed, ["open": true]),
                self.connect(origin.port, ["body": "a"]),
                ["headers": [":method": "CONNECT", ":authority": "no port"]],
            ], through: proxy)
        #expect(answer.results.map(\.status) == [403, 502, 200, nil])
        #expect(answer.results[0].text.contains("forbid"))
        #expect(answer.results[3].reset == 1)
        #expect(answer.goaway == nil)
    }

    @Test("a 407 asks for the password, and a client certificate needs none")
    func users() async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess.authenticating([
            "--tls-cert", certificates.certificate, "--tls-key", certificates.key, "--tls-client-ca",
            certificates.authority,
        ])
        var request = self.connect(origin.port, ["body": "echo"])
        let without = try await self.send([request], through: proxy)
        #expect(without.results.first?.status == 407)
        #expect(without.results.first?.fields?["proxy-authenticate"]?.text?.hasPrefix("Basic ") == true)
        #expect(without.results.first?.fields?["connection"] == nil)
        #expect(try await self.send([request], through: proxy, identity: true).results.first?.text == "echo")
        let credentials = Data("alice:secret".utf8).base64EncodedString()
        request["headers"] = [
            ":method": "CONNECT", ":authority": "127.0.0.1:\(origin.port)",
            "proxy-authorization": "Basic \(credentials)",
        ]
        #expect(try await self.send([request], through: proxy).results.first?.text == "echo")
        try await eventually("both users are logged") {
            Set(try proxy.log().filter { $0.status == 200 }.compactMap(\.user)) == ["localhost", "alice"]
        }
    }

    // MARK: Plain requests

    @Test("plain requests are forwarded, bodies and trailers of both directions included")
    func forwarding() async throws {
        let origin = try await self.origin()
        let proxy = try await CulvertProxyProcess.withTLS()
        let answer = try await self.send(
            [
                try await self.plain("GET", origin, "/fields"),
                try await self.plain(
                    "PUT", origin, "/x", ["size": 3_000_000, "trailers": ["checksum": "1"]]),
                try await self.plain("GET", origin, "/bytes/3000000"),
                try await self.plain("GET", origin, "/nothing"),
                ["headers": [":method": "GET", ":scheme": "https", ":authority": "a.test", ":path": "/"]],
            ], through: proxy)
        #expect(answer.results.map(\.status) == [200, 200, 200, 404, 501])
        #expect(answer.results.allSatisfy { $0.reset == 0 })
        #expect(answer.results[0].text.contains("\"via\""))
        #expect(!answer.results[0].text.contains("\"te\""))
        #expect(answer.results[1].text.hasSuffix(" 3000000\n"))
        #expect(answer.results[2].bytes == 3_000_000)
        #expect(answer.results[0].fields?["connection"] == nil)
        try await eventually("each is logged as it was") {
            try proxy.log().filter { $0.reason == "forwarded" }.count == 4
        }
    }

    @Test("an answer that breaks off is a reset, never a short whole")
    func cut() async throws {
        let script = """
            import socket
            s = socket.create_server(("127.0.0.1", 0)); print("ready", s.getsockname()[1], flush=True)
            c, _ = s.accept(); c.recv(65536)
            c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\nabc"); c.close()
            """
        let origin = try await LeashedProcess([PeerPython.path, "-c", script])
        let proxy = try await CulvertProxyProcess.withTLS()
        let answer = try await self.send([try await self.plain("GET", origin, "/")], through: proxy)
        #expect(answer.results.first?.status == 200)
        #expect(answer.results.first?.reset == Self.internalError)
    }

    // MARK: Limits

    @Test("a client that reads nothing of 200 MB is bounded in memory")
    func slowReader() async throws {
        let origin = try await self.origin()
        let proxy = try await CulvertProxyProcess.withTLS()
        let request = try await self.plain("GET", origin, "/bytes/50000000", ["times": 4, "hold": 3000])
        let process = try await LeashedProcess(try await self.command(proxy, [request]))
        let before = try proxy.residentKilobytes()
        try await Task.sleep(for: .seconds(2))
        #expect(try proxy.residentKilobytes() - before < 32 * 1024)
        try await eventually("it is read to its end", within: .seconds(60)) { process.hasEnded }
        let answer = try self.answer(in: process.output.lines)
        #expect(answer.results.allSatisfy { $0.bytes == 50_000_000 })
    }

    @Test("a connection without streams is closed after its time")
    func idle() async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess.withTLS(["--keep-alive-timeout", "1"])
        let result = try await Command.check(
            self.command(proxy, [self.connect(origin.port, ["body": "echo"]), ["linger": true]]))
        #expect(result.lines.last == "closed")
    }

    @Test("a stop tells GOAWAY, and open tunnels end first")
    func drain() async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess.withTLS()
        let process = try await LeashedProcess(
            try await self.command(proxy, [self.connect(origin.port, ["open": true])]))
        try await eventually("the tunnel stands") { process.output.lines.contains("granted") }
        proxy.process.signal(SIGTERM)
        try await eventually("it ends") { process.hasEnded }
        #expect(process.output.lines.contains("going away"))
        let answer = try self.answer(in: process.output.lines)
        #expect(answer.results.first?.text == "still")
        #expect(answer.results.first?.reset == 0)
        #expect(try await proxy.process.exit(within: .seconds(10)) == 0)
    }

    @Test("without http2 the proxy chooses HTTP/1.1", arguments: [true, false])
    func negotiation(allowed: Bool) async throws {
        let proxy = try await CulvertProxyProcess.withTLS(allowed ? [] : ["--no-http2"])
        let result = try await Command.run(
            ["openssl", "s_client", "-alpn", "h2,http/1.1", "-connect", "localhost:\(proxy.port)"], input: [])
        #expect(
            result.text.contains("ALPN protocol: \(allowed ? "h2" : "http/1.1")"),
            "\(result.text.suffix(800))")
    }
}
