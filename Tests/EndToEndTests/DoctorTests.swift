import CulvertInterop
import Foundation
import Testing

/// `culvert doctor` against proxies that work, and ones that do not.
@Suite("culvert doctor", .timeLimit(.minutes(4)), .requires(.squid, .openssl, .python3, .node, .tinyproxy))
struct DoctorTests {
    /// The parts of `--json` that tests look at.
    private struct Report: Decodable {
        struct Step: Decodable {
            var phase: String
            var verdict: String
            var detail: String
            var advice: String?
            var milliseconds: Double?
        }

        var ok: Bool
        var failed: String?
        var exitStatus: Int32
        var route: String?
        var steps: [Step]

        /// What was told of a phase, one step a line.
        func details(_ phase: String) -> String {
            self.steps.filter { $0.phase == phase }.map { "\($0.verdict): \($0.detail)" }.joined(
                separator: "\n")
        }
    }

    private func examine(
        _ arguments: [String], environment: [String: String] = [:], status: Int32
    ) async throws -> Report {
        let result = try await CulvertCommand.run(["doctor", "--json"] + arguments, environment: environment)
        #expect(result.status == status, "\(result.text)\n\(result.errors)")
        #expect(!"\(result.text)\(result.errors)".contains("secretword"))
        let report = try JSONDecoder().decode(Report.self, from: Data(result.text.utf8))
        #expect(report.exitStatus == status && report.ok == (status == 0))
        return report
    }

    @Test("the good way: Squid with Basic, TLS, the upgrade and an idle connection that stands")
    func good() async throws {
        let server = try await Origins.shared.webSocket(.nodeTLS)
        let squid = try await ProxyServers.shared.server(.squidBasic)
        let certificates = try await TestCertificates.shared()
        let report = try await self.examine(
            [server.url("/echo"), "--proxy", squid.url, "--ca", certificates.authority, "--idle", "1"],
            status: 0)
        #expect(report.route == "http://localhost:\(squid.port)")
        #expect(report.details("configuration").contains("--proxy is given"))
        #expect(report.details("name-lookup").contains("ok: localhost: "))
        #expect(report.details("connect").contains("ok: TCP with proxy http://localhost:\(squid.port)"))
        let authentication = report.details("authentication")
        #expect(authentication.contains("offers basic realm=\"office\"; at hand: user alice with a password"))
        #expect(authentication.contains("by Basic"), "\(authentication)")
        #expect(report.details("tunnel").contains("ok: "))
        #expect(report.details("target-tls").contains("ok: localhost has a certificate from"))
        #expect(report.details("upgrade").contains("ok: the server opened the WebSocket: 101"))
        #expect(report.details("idle").contains("still stands after 1"), "\(report.details("idle"))")
    }

    @Test("the environment: which variable decides, without the password in it, in the table for people")
    func environment() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let squid = try await ProxyServers.shared.server(.squidBasic)
        let result = try await CulvertCommand.run(
            ["doctor", server.url("/echo")],
            environment: [
                "ws_proxy": squid.url, "https_proxy": "http://u:secretword@other:1",
                "no_proxy": "<-loopback>",
            ])
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        #expect(
            result.text.contains(
                "ws_proxy decides (https_proxy=http://other:1 no_proxy=<-loopback> ws_proxy=http://localhost:\(squid.port))"
            ),
            "\(result.text)")
        #expect(result.text.contains("Everything works."))
        #expect(!result.text.contains("secret"))
        let direct = try await CulvertCommand.run(
            ["doctor", server.url("/echo")], environment: ["ws_proxy": squid.url])
        #expect(direct.text.contains("no_proxy lists localhost"), "\(direct.text)")
    }

    @Test("a wrong password is status 14, with what was offered and what was sent")
    func wrongPassword() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let squid = try await ProxyServers.shared.server(.squidBasic)
        let report = try await self.examine(
            [server.url("/echo"), "--proxy", squid.url(credentials: "alice:secretword@")], status: 14)
        #expect(report.failed == "authentication")
        #expect(report.details("authentication").contains("failed: "), "\(report.details("authentication"))")
        #expect(report.details("authentication").contains("rejects the user name or password"))
        let none = try await self.examine(
            [server.url("/echo"), "--proxy", squid.url(credentials: "")], status: 14)
        #expect(none.details("authentication").contains("at hand: no credentials"))
    }

    @Test("a closed port is status 12, an unknown name 11, an unusable setting 10")
    func unreachable() async throws {
        let port = try LoopbackPort.free()
        let closed = try await self.examine(
            ["ws://localhost:1/", "--proxy", "http://127.0.0.1:\(port)"], status: 12)
        #expect(closed.details("connect").contains("cannot connect to 127.0.0.1:\(port)"))
        let name = try await self.examine(
            ["ws://localhost:1/", "--proxy", "http://nowhere.invalid:1"], status: 11)
        #expect(name.details("name-lookup").contains("nowhere.invalid"))
        let unusable = try await self.examine(
            ["https://a.example/"], environment: ["https_proxy": "gopher://x:secretword@y"], status: 10)
        #expect(unusable.details("configuration").contains("gopher"))
        let script = try Workspace.file("bad.pac", "var x = ;\n", in: "doctor-pac")
        let pac = try await self.examine(["https://a.example/", "--pac", script.path], status: 10)
        #expect(
            pac.details("configuration").contains("bad.pac:1: SyntaxError"), "\(pac.details("configuration"))"
        )
    }

    @Test("a proxy that is down is passed over when another one follows")
    func passedOver() async throws {
        let server = try await Origins.shared.webSocket(.node)
        let squid = try await ProxyServers.shared.server(.squidBasic)
        let report = try await self.examine(
            [server.url("/echo"), "--route", "* http://127.0.0.1:\(try LoopbackPort.free()), \(squid.url)"],
            status: 0)
        #expect(report.details("connect").contains("the next way is tried"))
        #expect(report.route == "http://localhost:\(squid.port)")
    }

    @Test("tinyproxy that refuses the port is status 15, with what it says")
    func refused() async throws {
        let directory = try Workspace.directory("doctor-tinyproxy")
        let port = try LoopbackPort.free()
        let configuration = directory.appendingPathComponent("conf")
        try Workspace.write(
            "Port \(port)\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nLogFile \"\(directory.path)/log\"\nConnectPort 443\n",
            to: configuration)
        let process = try await LeashedProcess(
            ["tinyproxy", "-d", "-c", configuration.path], rights: .nobody)
        try await process.accepts(on: port)
        let report = try await self.examine(
            ["ws://localhost:8081/", "--proxy", "http://127.0.0.1:\(port)"], status: 15)
        #expect(report.failed == "tunnel")
        #expect(report.details("tunnel").contains("403"), "\(report.details("tunnel"))")
    }

    @Test("mitmproxy is found out by the issuer of its certificate, and let through with its --ca")
    func interception() async throws {
        let program = Workspace.package.appendingPathComponent(".build/peers/venv-mitmproxy/bin/mitmdump")
            .path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            return #expect(!Tool.areRequired, "needs mitmproxy: run Tests/install.sh")
        }
        let server = try await Origins.shared.webSocket(.nodeTLS)
        let directory = try Workspace.directory("mitmproxy")
        let port = try LoopbackPort.free()
        let process = try await LeashedProcess([
            program, "--listen-host", "127.0.0.1", "-p", "\(port)", "--set", "confdir=\(directory.path)",
            "--ssl-insecure", "-q",
        ])
        try await process.accepts(on: port)
        let proxy = "http://127.0.0.1:\(port)"
        let report = try await self.examine([server.url("/echo"), "--proxy", proxy], status: 16)
        let tls = report.details("target-tls")
        #expect(tls.contains("comes from mitmproxy, which is not a public root of this system"), "\(tls)")
        #expect(tls.contains("the proxy intercepts TLS"), "\(tls)")
        #expect(report.steps.last?.advice?.contains("--ca FILE") == true)
        let trusted = try await self.examine(
            [server.url("/echo"), "--proxy", proxy, "--ca", "\(directory.path)/mitmproxy-ca-cert.pem"],
            status: 0)
        #expect(trusted.details("target-tls").contains("from mitmproxy"))
    }

    @Test("a server that takes no WebSocket is status 17; one that cuts idle connections 18")
    func server() async throws {
        let files = try await FileServer([:])
        let upgrade = try await self.examine(
            ["ws://127.0.0.1:\(files.port)/", "--proxy", "none"], status: 17)
        #expect(
            upgrade.details("upgrade").contains("the server refused it: 200"), "\(upgrade.details("upgrade"))"
        )
        let proxy = try await CulvertProxyProcess(["--idle-timeout", "1s"])
        let origin = try await ObedientOrigin()
        let idle = try await self.examine(
            ["http://127.0.0.1:\(origin.port)/", "--proxy", proxy.url, "--idle", "30"], status: 18)
        #expect(idle.details("idle").contains("the idle connection was cut after"), "\(idle.details("idle"))")
    }
}
