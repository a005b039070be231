import CulvertInterop
import Foundation
import Testing

/// Users of `culvert proxy` in files as `openssl passwd` makes them, asked for by curl.
@Suite("the users of culvert proxy", .serialized, .timeLimit(.minutes(3)), .requires(.curl, .openssl))
struct ProxyUsersTests {
    /// The status of a CONNECT by curl. The origin speaks no HTTP: 2 s are enough to see the tunnel stand.
    private func status(
        _ proxy: CulvertProxyProcess, _ port: Int, _ arguments: [String] = []
    ) async throws -> String {
        try await Command.run(
            [
                "curl", "-s", "-o", "/dev/null", "-w", "%{http_connect}", "--proxytunnel", "--max-time", "2",
                "--proxy", proxy.url, "http://127.0.0.1:\(port)/",
            ] + arguments
        ).text
    }

    @Test("hashes of openssl passwd are let in, wrong passwords are not, and a reload changes them")
    func hashed() async throws {
        let origin = try await ObedientOrigin()
        let hash = try await Command.check(["openssl", "passwd", "-6", "secret"]).text
        let users = try Workspace.file("users", "alice:\(hash)", in: "users")
        let proxy = try await CulvertProxyProcess(["--users-file", users.path, "--no-watch"])
        #expect(try await self.status(proxy, origin.port, ["-U", "alice:secret"]) == "200")
        #expect(try await self.status(proxy, origin.port, ["-U", "alice:wrong"]) == "407")
        #expect(try await self.status(proxy, origin.port, ["-U", "bob:secret"]) == "407")
        #expect(try await self.status(proxy, origin.port) == "407")

        let next = try await Command.check(["openssl", "passwd", "-5", "changed"]).text
        try Workspace.write("alice:\(next)", to: users)
        proxy.process.signal(SIGHUP)
        try await eventually("the reload") {
            proxy.process.errors.text.contains("reloaded the configuration")
        }
        #expect(try await self.status(proxy, origin.port, ["-U", "alice:secret"]) == "407")
        #expect(try await self.status(proxy, origin.port, ["-U", "alice:changed"]) == "200")

        try Workspace.write("alice:changed", to: users)
        proxy.process.signal(SIGHUP)
        try await eventually("the error") {
            proxy.process.errors.text.contains("users-plain-text takes plain ones")
        }
        #expect(try await self.status(proxy, origin.port, ["-U", "alice:changed"]) == "200")
        #expect(!proxy.process.errors.text.contains("alice:"))
    }

    @Test("a plain password is an error that says what to do, unless plain ones are asked for")
    func plain() async throws {
        let users = try Workspace.file("plain", "alice:topsecret\n", in: "users")
        let refused = try await CulvertCommand.run(["proxy", "--users-file", users.path])
        #expect(refused.status == 64)
        #expect(
            refused.errors.contains("\(users.path): line 1: the password is not hashed"), "\(refused.errors)")
        #expect(!refused.errors.contains("topsecret"))
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess(["--users-file", users.path, "--users-plain-text"])
        #expect(try await self.status(proxy, origin.port, ["-U", "alice:topsecret"]) == "200")
    }

    @Test("a token is let in by Bearer, and both schemes are offered")
    func token() async throws {
        let origin = try await ObedientOrigin()
        // The SHA-256 of `token-of-alice`.
        let tokens = try Workspace.file(
            "tokens", "robot:19c28a50b1a09097592e7ceddb7e0771ff4d469747541a7536579eef857e05ce\n", in: "users")
        let users = try Workspace.file("users", "alice:topsecret\n", in: "users")
        let proxy = try await CulvertProxyProcess([
            "--tokens-file", tokens.path, "--users-file", users.path, "--users-plain-text",
        ])
        let right = ["--proxy-header", "Proxy-Authorization: Bearer token-of-alice"]
        let wrong = ["--proxy-header", "Proxy-Authorization: Bearer token-of-bob"]
        #expect(try await self.status(proxy, origin.port, right) == "200")
        #expect(try await self.status(proxy, origin.port, wrong) == "407")
        let connection = try await proxy.connect()
        try await connection.send("CONNECT 127.0.0.1:\(origin.port) HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try await connection.receive(until: "\r\n\r\n").lowercased()
        #expect(answer.contains("proxy-authenticate: basic realm="))
        #expect(answer.contains("proxy-authenticate: bearer realm="))
        await connection.close()
        try await eventually("the log names the token's user") {
            try proxy.log().contains { $0.user == "robot" && $0.status == 200 }
        }
    }
}
