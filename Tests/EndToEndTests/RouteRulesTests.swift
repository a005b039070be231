import CulvertInterop
import Foundation
import Testing

/// Ways by rule, with fail-over, through the commands.
@Suite("routes by rule", .timeLimit(.minutes(3)), .requires(.squid, .openssl, .python3, .node, .curl))
struct RouteRulesEndToEndTests {
    @Test("culvert ws: the rule of the target decides, and a proxy that is down is passed over")
    func webSocket() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let squid = try await ProxyServers.shared.server(.squidBasic)
        let dead = "http://127.0.0.1:\(try LoopbackPort.free())"
        let result = try await CulvertCommand.run(
            [
                "ws", server.url("/echo"), "--verbose", "--route", "*.corp.example direct", "--route",
                "localhost \(dead), \(squid.url); * \(dead)",
            ], input: "through\n")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text.contains("through"))
        #expect(result.errors.contains("cannot connect to \(dead.dropFirst(7))"), "\(result.errors)")
        #expect(result.errors.contains("trying http://localhost:\(squid.port)"), "\(result.errors)")
        #expect(!result.errors.contains("secret"))
    }

    @Test("a 407 has the last word: the next way is not tried, be it direct")
    func refusal() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let squid = try await ProxyServers.shared.server(.squidBasic)
        let result = try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--route", "* \(squid.url(credentials: "alice:wrong@")), direct"],
            input: "x\n")
        #expect(result.status == 4, "\(result.errors)")
        #expect(result.errors.contains("rejects the user name or password"), "\(result.errors)")
    }

    @Test("nothing goes direct that no rule sends direct; the error tells of each way")
    func neverSilentlyDirect() async throws {
        let (a, b) = (try LoopbackPort.free(), try LoopbackPort.free())
        let result = try await CulvertCommand.run(
            ["connect", "localhost:1", "--route", "* http://127.0.0.1:\(a), http://127.0.0.1:\(b)"])
        #expect(result.status == 3, "\(result.errors)")
        #expect(result.errors.contains("cannot connect to 127.0.0.1:\(b)"), "\(result.errors)")
        #expect(
            result.errors.contains("tried before: http://127.0.0.1:\(a): cannot connect to"),
            "\(result.errors)")
    }

    @Test("culvert proxy: tunnels and plain requests pass over a dead parent, and show it as avoided")
    func proxy() async throws {
        let web = try await Origins.shared.web()
        let plain = try await FileServer(["page": "plain\n"])
        let squid = try await ProxyServers.shared.server(.squidBasic)
        let dead = "http://127.0.0.1:\(try LoopbackPort.free())"
        let file = try Workspace.file(
            "culvert.yaml", "route:\n  - 127.0.0.1 direct\n  - \"* \(dead), \(squid.url)\"\n", in: "routes")
        let proxy = try await CulvertProxyProcess(["--config", file.path, "--admin", "127.0.0.1:0"])
        try await proxy.expectParent("http://localhost:\(squid.port)", web: web, plain: plain)
        let admin = "http://127.0.0.1:\(try await proxy.adminPort())"
        let metrics = try await Command.run(["curl", "-sS", "\(admin)/metrics"])
        #expect(metrics.text.contains("culvert_parent_avoided{parent=\"\(dead)\"} 1"), "\(metrics.text)")
        #expect(metrics.text.contains("culvert_parent_up{parent=\"http://localhost:\(squid.port)\"} 1"))
        #expect(try await Command.run(["curl", "-sS", "\(admin)/"]).text.contains("avoided for"))

        #expect(!proxy.process.errors.text.contains("secret"))
    }

    @Test("culvert proxy: a plain request as the first passes over a dead parent too")
    func forwardedFirst() async throws {
        let plain = try await FileServer(["page": "plain\n"])
        let dead = "http://127.0.0.1:\(try LoopbackPort.free())"
        let proxy = try await CulvertProxyProcess(["--route", "* \(dead), direct"])
        let forwarded = try await Command.run(
            ["curl", "-sS", "--max-time", "30", "-x", proxy.url, "http://localhost:\(plain.port)/page"])
        #expect(forwarded.text == "plain\n", "\(forwarded.errors)")
        #expect(
            proxy.process.errors.text.contains("a parent cannot be reached"), "\(proxy.process.errors.text)")
    }

    @Test("rules that cannot be used stop the start, with the line")
    func badRules() async throws {
        let file = try Workspace.directory("bad-routes").appendingPathComponent("culvert.yaml")
        try Workspace.write("listen: 127.0.0.1:0\nroute:\n  - \"*.example http://a:1\"\n", to: file)
        let result = try await CulvertCommand.run(["proxy", "--check", file.path])
        #expect(result.status == 78)
        #expect(result.errors.contains("route: the last rule must be for every target"), "\(result.errors)")
    }
}
