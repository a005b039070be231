import CulvertInterop
import Foundation
import Testing
import WebSocketWire

@Suite("verdicts of a run")
struct RunnerTests {
    private static let checks = """
        {"name": "text", "do": "echo", "kind": "text", "bytes": 100}, {"name": "binary", "do": "echo", "kind": "binary", "bytes": 300},
        {"name": "fragments", "do": "fragments"}, {"name": "ping", "do": "ping"},
        {"name": "compression", "do": "compression", "bytes": 500}, {"name": "close", "do": "close", "code": 3000},
        {"name": "subprotocol", "do": "subprotocol", "offer": ["a", "b"], "expect": "b"},
        {"name": "expired", "do": "refuse", "with": "expired"}, {"name": "password", "do": "refuse", "with": "wrong-password"},
        {"name": "port", "do": "refuse", "with": "closed-port"}
        """

    /// Every result of one check by these clients, over a proxy with or without users.
    private func run(
        _ check: String, _ clients: [any InteropClient], site: FakeSite = FakeSite(),
        asksPassword: Bool = true
    ) async throws -> [Verdict] {
        let credentials = asksPassword ? #", "credentials": "alice:secret""# : ""
        let text = """
            {"proxies": [{"name": "p", "title": "P", "packages": "", "version": ["v"], "command": ["c"]\(credentials)}],
             "routes": [{"name": "p", "hops": ["p"]}], "checks": [\(Self.checks)],
             "sections": [{"name": "s", "title": "S", "servers": ["origin"], "routes": ["p"], "checks": ["\(check)"],
                           "transports": ["wss"], "rows": "server", "columns": "check"}]}
            """
        let scenarios = try JSONDecoder().decode(Scenarios.self, from: Data(text.utf8))
        let runner = PlanRunner(
            site: site, proxies: scenarios.proxies, clients: clients, jobs: 2, timeLimit: .milliseconds(300))
        return try await runner.run(Plan(scenarios)).map(\.verdict)
    }

    private static let capable = FakeClient(subprotocol: "b", isCompressed: true)

    @Test(
        "a client that does all of it passes",
        arguments: ["text", "binary", "fragments", "ping", "compression", "close", "subprotocol"])
    func pass(check: String) async throws {
        let verdicts = try await self.run(check, [Self.capable])
        #expect(verdicts == [.pass])
    }

    @Test(
        "an echo that differs fails",
        arguments: ["text", "binary", "fragments", "compression", "close", "subprotocol"])
    func corrupt(check: String) async throws {
        var client = Self.capable
        client.behaviour = .corrupt
        let verdicts = try await self.run(check, [client])
        guard case .fail(.mismatch, let detail) = verdicts[0] else {
            Issue.record("\(verdicts)")
            return
        }
        #expect(detail.contains("differ"))
    }

    @Test("a close instead of the echo fails", arguments: ["text", "binary", "fragments"])
    func close(check: String) async throws {
        let verdicts = try await self.run(check, [FakeClient(behaviour: .close)])
        #expect(verdicts == [.fail(.connectionLost, "the server closed before the echo came")])
    }

    @Test("a peer that hangs fails at the limit", arguments: ["text", "ping"])
    func hang(check: String) async throws {
        let verdicts = try await self.run(check, [FakeClient(behaviour: .hang)])
        guard case .fail(.timedOut, _) = verdicts[0] else {
            Issue.record("\(verdicts)")
            return
        }
    }

    @Test("compression, subprotocol and close code are what was agreed on, or it fails")
    func agreements() async throws {
        for (check, client) in [
            ("compression", FakeClient()), ("subprotocol", FakeClient(subprotocol: "a")),
            ("subprotocol", FakeClient()), ("close", FakeClient(closeAnswer: .normalClosure)),
        ] {
            let verdicts = try await self.run(check, [client])
            guard case .fail(.mismatch, _) = verdicts[0] else {
                Issue.record("\(check): \(verdicts)")
                continue
            }
        }
    }

    @Test("what must fail and does not, fails", arguments: ["expired", "password", "port"])
    func mustFail(check: String) async throws {
        let verdicts = try await self.run(check, [FakeClient(isOracle: true), FakeClient()])
        for verdict in verdicts {
            guard case .fail(.mismatch, _) = verdict else {
                Issue.record("\(verdict)")
                continue
            }
        }
    }

    @Test(
        "what must fail has to fail for the oracle's reason; alone, for the expected one",
        arguments: [
            (nil, Cause.proxyRefused(status: 503), true),
            (nil, .connectionLost, false),
            (Cause.proxyRefused(status: 502), .proxyRefused(status: 502), true),
            (.proxyRefused(status: 502), .proxyRefused(status: 503), true),
            (.proxyRefused(status: 502), .proxyRefused(status: 403), false),
            (.proxyRefused(status: nil), .proxyRefused(status: 503), true),
            // The proxy accepts first and fails later: the oracle knows.
            (.connectionLost, .connectionLost, true),
            (.connectionLost, .proxyRefused(status: 502), false),
            (.timedOut, .timedOut, false),
        ] as [(Cause?, Cause, Bool)])
    func causes(oracle: Cause?, own: Cause, passes: Bool) async throws {
        var clients: [any InteropClient] = [FakeClient(behaviour: .refuse(.init(own, "own")))]
        if let oracle {
            clients.insert(
                FakeClient(name: "oracle", isOracle: true, behaviour: .refuse(.init(oracle, "oracle"))), at: 0
            )
        }
        let verdicts = try await self.run("port", clients)
        #expect((verdicts.last == .pass) == passes, "\(verdicts)")
    }

    @Test("what cannot be tried is unavailable, with the reason")
    func unavailable() async throws {
        let lacking = FakeClient(lacking: [.ping: "has no ping"])
        #expect(try await self.run("ping", [lacking]) == [.unavailable(.unsupported, "has no ping")])
        let site = FakeSite(missing: "Jetty is missing: apt-get install jetty")
        #expect(
            try await self.run("text", [FakeClient()], site: site)
                == [.unavailable(.missing, "Jetty is missing: apt-get install jetty")])
        #expect(
            try await self.run("password", [FakeClient()], asksPassword: false)
                == [.unavailable(.unsupported, "p asks for no password")])
    }

    @Test("another maker's client passes only what it said it passed")
    func foreign() {
        let said = CommandResult(
            status: 0, output: Array("pass text\nfail binary 3 bytes short\npass binary\nnoise\n".utf8),
            errors: "")
        let verdicts = ForeignClients.read(said, ["text", "binary", "ping"]).map(\.1)
        #expect(verdicts[0] == .pass)
        #expect(verdicts[1] == .fail(.mismatch, "3 bytes short"))
        #expect(verdicts[2] != .pass)
        let crashed = CommandResult(status: 139, output: Array("pass text\n".utf8), errors: "boom\n")
        #expect(ForeignClients.read(crashed, ["text"])[0].1 != .pass)
    }
}
