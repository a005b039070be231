import CulvertInterop
import Foundation
import Testing

/// curl, as somebody's existing tool, through `culvert proxy`.
@Suite(
    "curl through culvert proxy", .serialized, .timeLimit(.minutes(5)), .requires(.curl, .openssl, .python3))
struct CurlThroughProxyTests {
    private func curl(
        _ arguments: [String], proxy: String, within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        let certificates = try await TestCertificates.shared()
        return try await Command.run(
            ["curl", "-sS", "--proxy", proxy, "--cacert", certificates.authority] + arguments, within: limit)
    }

    @Test("an HTTPS origin is reached, and one log line tells how")
    func origin() async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess()
        let result = try await self.curl([origin.url("/hello")], proxy: proxy.url)
        #expect(result.text == "hello from the origin\n", "\(result.errors)")

        let line = try await proxy.logLine(for: origin.authority)
        #expect(line.method == "CONNECT")
        #expect(line.status == 200)
        #expect(line.decision == "allow")
        #expect(line.client?.hasPrefix("127.0.0.1") == true)
        #expect(line.address == "127.0.0.1:\(origin.port)" || line.address == "[::1]:\(origin.port)")
        #expect(line.bytesUp ?? 0 > 100)
        #expect(line.bytesDown ?? 0 > 500)
        #expect(line.milliseconds ?? -1 >= 0)
        #expect(line.closedBy?.isEmpty == false)
        #expect(try proxy.log().count == 1)
    }

    @Test("nothing the proxy was told reaches the origin")
    func fields() async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess.authenticating()
        let result = try await self.curl(
            ["--proxy-user", "alice:secret", "--proxy-header", "X-Proxy: 1", origin.url("/fields")],
            proxy: proxy.url)
        let fields = try JSONDecoder().decode([String: String].self, from: Data(result.output))
        #expect(Set(fields.keys) == ["host", "user-agent", "accept"])
    }

    @Test("a port nobody listens on is a 502")
    func refused() async throws {
        let proxy = try await OwnProxies.shared.open()
        let port = try LoopbackPort.free()
        let result = try await self.curl(["-v", "https://localhost:\(port)/"], proxy: proxy.url)
        #expect(result.status == 56)
        #expect(result.errors.contains("< HTTP/1.1 502"), "\(result.errors)")
        let line = try await proxy.logLine(for: "localhost:\(port)")
        #expect(line.status == 502)
    }

    @Test("a name that does not exist is a 502")
    func unresolvable() async throws {
        let proxy = try await OwnProxies.shared.open()
        let result = try await self.curl(["-v", "https://nonexistent.invalid/"], proxy: proxy.url)
        #expect(result.status == 56)
        #expect(result.errors.contains("< HTTP/1.1 502"), "\(result.errors)")
        let line = try await proxy.logLine(for: "nonexistent.invalid:443")
        #expect(line.status == 502)
        #expect(line.reason?.isEmpty == false)
    }

    @Test("a 407 keeps the connection, and the same connection then carries the tunnel")
    func challenge() async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess.authenticating()
        let result = try await self.curl(
            ["-v", "--proxy-anyauth", "--proxy-user", "alice:secret", origin.url("/hello")], proxy: proxy.url)
        #expect(result.text == "hello from the origin\n")
        #expect(result.errors.contains("< HTTP/1.1 407"))
        #expect(
            result.errors.contains("Proxy-Authenticate: Basic")
                || result.errors.contains("proxy-authenticate: Basic"))
        #expect(!result.errors.contains("Closing connection 0\n* Trying"), "curl had to connect again")
        let connects = result.errors.components(separatedBy: "Connected to ").count - 1
        #expect(connects == 1, "\(result.errors)")
        let line = try #require(try proxy.log().first { $0.status == 200 })
        #expect(line.user == "alice")
    }

    @Test(
        "only the right name and password pass",
        arguments: [
            ("alice:secret", true), ("bob:pass:with:colons", true), ("alice:wrong", false), ("alice:", false),
            ("nobody:secret", false), ("ALICE:secret", false), ("", false),
        ])
    func credentials(credentials: String, passes: Bool) async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await OwnProxies.shared.authenticating()
        let user = credentials.isEmpty ? [] : ["--proxy-user", credentials]
        let result = try await self.curl(["-v"] + user + [origin.url("/hello")], proxy: proxy.url)
        #expect(result.text == (passes ? "hello from the origin\n" : ""))
        #expect(result.errors.contains("< HTTP/1.1 407") == !passes, "\(result.errors)")
        let password = credentials.split(separator: ":").dropFirst().joined(separator: ":")
        if !password.isEmpty {
            #expect(!proxy.process.output.text.contains("\(password)\""), "a password in the access log")
            #expect(!proxy.process.errors.text.contains(password), "a password in the log")
        }
    }

    @Test("a hundred transfers at once all arrive")
    func parallel() async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess()
        let result = try await self.curl(
            ["--parallel", "--parallel-immediate", "--parallel-max", "100", origin.url("/hello?[1-100]")],
            proxy: proxy.url)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text == String(repeating: "hello from the origin\n", count: 100))
    }

    @Test("a gigabyte comes down unharmed")
    func download() async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess()
        let certificates = try await TestCertificates.shared()
        let count = 1 << 30
        let digest = try await Command.check(
            ["curl", "-sS", "--cacert", certificates.authority, origin.url("/digest/\(count)")]).text
        let pipeline = """
            curl -sS --proxy "$1" --cacert "$2" "$3" | openssl sha256 -r
            """
        let result = try await Command.run(
            ["sh", "-c", pipeline, "sh", proxy.url, certificates.authority, origin.url("/bytes/\(count)")],
            within: .seconds(180))
        #expect(result.text.hasPrefix(digest), "\(result.text) \(result.errors)")
        let line = try await proxy.logLine(for: origin.authority)
        #expect(line.bytesDown ?? 0 > count)
    }

    @Test("a gigabyte goes up unharmed")
    func upload() async throws {
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess()
        let certificates = try await TestCertificates.shared()
        let count = 1 << 30
        let digest = try await Command.check(
            ["curl", "-sS", "--cacert", certificates.authority, origin.url("/digest/\(count)")]).text
        // The direct download is the source of the upload, so that no gigabyte lies on a disk.
        let pipeline = """
            curl -sS --cacert "$2" "$3" | curl -sS --proxy "$1" --cacert "$2" -T - "$4"
            """
        let result = try await Command.run(
            [
                "sh", "-c", pipeline, "sh", proxy.url, certificates.authority, origin.url("/bytes/\(count)"),
                origin.url("/sink"),
            ], within: .seconds(180))
        #expect(result.text == "\(digest) \(count)\n", "\(result.errors)")
        let line = try await proxy.logLine(for: origin.authority)
        #expect(line.bytesUp ?? 0 > count)
    }
}
