import CulvertInterop
import Foundation
import Testing

/// The rules of `culvert proxy`, as a client, a log reader and an operator meet them.
@Suite("the rules of culvert proxy", .serialized, .timeLimit(.minutes(3)))
struct ProxyRulesTests {
    private func status(_ target: String, _ proxy: CulvertProxyProcess) async throws -> String {
        let connection = try await proxy.connect()
        try await connection.send("CONNECT \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try await connection.receive(until: "\r\n\r\n")
        await connection.close()
        return String(answer.prefix(12))
    }

    private func line(
        for target: String, in proxy: CulvertProxyProcess, where fits: (CulvertProxyProcess.LogLine) -> Bool
    ) async throws -> CulvertProxyProcess.LogLine {
        var found: CulvertProxyProcess.LogLine?
        try await eventually("an access-log line for \(target)") {
            found = try proxy.log().last { $0.target == target && fits($0) }
            return found != nil
        }
        return try found.unwrapped("an access-log line for \(target)")
    }

    @Test("the first rule that matches decides, and the log tells which")
    func firstMatch() async throws {
        let origin = try await ObedientOrigin()
        let other = try await ObedientOrigin()
        let directory = try Workspace.directory("rules")
        let file = directory.appendingPathComponent("culvert.yaml")
        try Workspace.write(
            """
            rule:
              - deny name=not-by-address client=127.0.0.0/8 to=127.0.0.0/8 port=\(other.port)
              - {action: allow, name: the-origin, host: [localhost], port: \(origin.port)}
              - {action: allow, name: loopback, to: ["127.0.0.0/8", "::1"]}
            rule-default: deny
            """, to: file)
        let proxy = try await CulvertProxyProcess(["--config", file.path])
        for (target, status, rule) in [
            ("localhost:\(origin.port)", "HTTP/1.1 200", "the-origin"),
            ("127.0.0.1:\(origin.port)", "HTTP/1.1 200", "loopback"),
            ("localhost:\(other.port)", "HTTP/1.1 403", "not-by-address"),
            ("127.0.0.1:\(other.port)", "HTTP/1.1 403", "not-by-address"),
            ("192.0.2.1:443", "HTTP/1.1 403", "default"),
        ] {
            #expect(try await self.status(target, proxy) == status, "\(target)")
            let line = try await self.line(for: target, in: proxy) { _ in true }
            #expect(line.rule == rule, "\(target)")
        }
        #expect(other.accepted == 0)
    }

    @Test("report mode lets through and logs what would be refused")
    func report() async throws {
        let origin = try await ObedientOrigin()
        let target = "127.0.0.1:\(origin.port)"
        let proxy = try await CulvertProxyProcess([
            "--rule", "deny name=nothing-local to=127.0.0.0/8", "--rule-default", "allow", "--rule-mode",
            "report",
        ])
        #expect(try await self.status(target, proxy) == "HTTP/1.1 200")
        let line = try await self.line(for: target, in: proxy) { _ in true }
        #expect(line.decision == "allow")
        #expect(line.rule == "nothing-local")
        #expect(line.enforced == "deny")
    }

    @Test("rules are reloaded, and a tunnel that stands goes on")
    func reload() async throws {
        let origin = try await ObedientOrigin()
        let target = "127.0.0.1:\(origin.port)"
        let file = try Workspace.directory("rules").appendingPathComponent("culvert.yaml")
        try Workspace.write("rule: allow\nrule-default: deny\nwatch: no\n", to: file)
        let proxy = try await CulvertProxyProcess(["--config", file.path])
        let tunnel = try await proxy.connect()
        try await tunnel.send("CONNECT \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try await tunnel.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        try Workspace.write("rule: deny name=closed\nrule-default: deny\nwatch: no\n", to: file)
        proxy.process.signal(SIGHUP)
        try await eventually("the reload") {
            proxy.process.errors.text.contains("reloaded the configuration")
        }
        #expect(try await self.status(target, proxy) == "HTTP/1.1 403")
        try await tunnel.send("still here")
        _ = try await tunnel.receive(until: "still here")
        await tunnel.close()
        #expect(try await self.line(for: target, in: proxy) { $0.status == 403 }.rule == "closed")
    }

    @Test("--explain tells the rule, the guard and the addresses, and its exit code the verdict")
    func explain() async throws {
        let rules = [
            "--rule", "deny name=no-mail port=25,465-587", "--rule", "allow name=ops role=ops to=127.0.0.0/8",
            "--role", "ops=carol", "--rule-default", "deny",
        ]
        for (words, status, said) in [
            (["alice", "example.test:587"], 4, "no-mail: matches: deny"),
            (["-", "127.0.0.1:443"], 4, "ops: does not match: the user has none of the roles ops"),
            (["carol", "127.0.0.1:443"], 0, "allowed by ops"),
            (["carol", "127.0.0.1:443", "192.0.2.1", "GET"], 0, "carol from 192.0.2.1: GET 127.0.0.1:443"),
            (["carol", "localhost:443"], 0, "\n  ops: matches: allow\nallowed by ops"),
        ] as [([String], Int32, String)] {
            let result = try await CulvertCommand.run(["proxy", "--explain"] + words + rules)
            #expect(result.status == status, "\(words)")
            #expect(result.text.contains(said), "\(words): \(result.text)")
        }
        let guarded = try await CulvertCommand.run([
            "proxy", "--explain", "-", "[::ffff:10.0.0.1]:443", "--guard", "on",
        ])
        #expect(guarded.status == 4)
        #expect(guarded.text.contains("guard: refuses ::ffff:10.0.0.1: v4-mapped\n"), "\(guarded.text)")
        #expect(try await CulvertCommand.run(["proxy", "--explain", "alice"]).status == 64)
    }
}
