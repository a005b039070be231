import CulvertInterop
import Foundation
import Testing

/// Everyone else's software, all of it, once. Each check is a result of its own in the report.
@Suite("culvert interop, the peers of this machine", .serialized, .timeLimit(.minutes(15)))
struct InteropLocalTests {
    /// Read where the tests begin: how many peers there should be is not for the run to say.
    private static func scenarios() throws -> Scenarios {
        try Scenarios.load(try ResourceFolder.find().appendingPathComponent("scenarios.json"))
    }

    @Test(
        "nothing fails, with every server, proxy and client there is",
        .requires(.curl, .python3, .node, .squid))
    func everything() async throws {
        let directory = try Workspace.directory("reports")
        let (junit, html) = (
            directory.appendingPathComponent("junit.xml"), directory.appendingPathComponent("report.html")
        )
        let (report, result) = try await InteropReport.run(
            ["--junit", junit.path, "--html", html.path] + (Tool.areRequired ? ["--require-peers"] : []),
            within: .seconds(840))
        for failure in report.results where failure.verdict == "fail" {
            Issue.record(
                "\(failure.section): \(failure.row), \(failure.column), \(failure.client) \(failure.variant): \(failure.cause ?? ""): \(failure.detail ?? "")"
            )
        }
        #expect(result.status == 0, "\(result.errors.suffix(2000))")
        if Tool.areRequired {
            let missing = report.results.filter { $0.reason == "missing" }
            #expect(missing.isEmpty, "\(Set(missing.compactMap(\.detail)))")
        }

        // Our client echoed with every server over ws and wss, and along every route it can go.
        let scenarios = try Self.scenarios()
        let missing = Set(report.parts.filter { $0.version == nil && $0.kind != "target" }.map(\.title))
        let echoed = report.results("servers", client: "culvert", verdict: "pass").filter {
            $0.column == "text"
        }
        for server in scenarios.servers where !missing.contains(server.peer.title) {
            let variants = echoed.filter { $0.row == server.peer.title }.map(\.variant)
            #expect(Set(variants) == ["ws", "wss"], "\(server.peer.title)")
        }
        // The oracle was there.
        #expect(report.results("pairs", client: "libcurl", verdict: "pass").count > 100)
        try await self.expectSame(report, junit: junit.path)
        let page = try String(contentsOf: html, encoding: .utf8)
        for server in scenarios.servers { #expect(page.contains(server.peer.title)) }
    }

    /// JUnit's readers count the same.
    private func expectSame(_ report: InteropReport, junit: String) async throws {
        let script = """
            import sys, xml.etree.ElementTree as tree
            cases = list(tree.parse(sys.argv[1]).iter("testcase"))
            bad = sum(c.find("failure") is not None or c.find("error") is not None for c in cases)
            print(len(cases), bad)
            """
        let counted = try await Command.check(["python3", "-c", script, junit]).lines.first
        #expect(counted == "\(report.results.count) \(report.summary["failed"] ?? -1)")
    }

    @Test(
        "a newer libcurl at run time: HTTP/2 to a proxy, and its own WebSocket", .requires(.python3, .squid))
    func newerLibcurl() async throws {
        let libraries = Workspace.package.appendingPathComponent(".build/peers/libcurl-new/usr/lib")
        // One folder, named after the machine.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: libraries.path)) ?? []
        guard let folder = names.first.map({ libraries.appendingPathComponent($0).path }) else {
            if Tool.areRequired {
                Issue.record("no newer libcurl in \(libraries.path): run Tests/install.sh")
            }
            return
        }
        let (report, result) = try await InteropReport.run(
            ["--section", "servers", "--section", "libcurl", "--section", "routes"],
            environment: ["LD_LIBRARY_PATH": folder], within: .seconds(600))
        for failure in report.results where failure.verdict == "fail" {
            Issue.record(
                "\(failure.section): \(failure.row), \(failure.column), \(failure.client) \(failure.variant): \(failure.cause ?? ""): \(failure.detail ?? "")"
            )
        }
        #expect(result.status == 0, "\(result.errors.suffix(2000))")
        let version = report.parts.first { $0.name == "libcurl" }?.version ?? ""
        #expect(version.hasPrefix("8."), "libcurl \(version) is not the newer one")
        #expect(report.results("servers", client: "libcurl ws", verdict: "pass").count > 50)
        #expect(
            !report.results("routes", client: "libcurl", verdict: "pass").filter { $0.row.contains("HTTP/2") }
                .isEmpty)
    }
}
