import CulvertInterop
import Foundation
import Testing

@Suite("the scenario file")
struct ScenariosTests {
    private func load(_ text: String) throws -> Scenarios {
        let scratch = try ScratchDirectory("scenarios")
        let file = scratch.url.appendingPathComponent("scenarios.json")
        try Data(text.utf8).write(to: file)
        return try withExtendedLifetime(scratch) { try Scenarios.load(file) }
    }

    @Test("the one that is shipped can be read, and each section plans something")
    func shipped() throws {
        let file = try ResourceFolder.find().appendingPathComponent("scenarios.json")
        let scenarios = try Scenarios.load(file)
        #expect(scenarios.servers.count >= 18)
        #expect(scenarios.proxies.count >= 12)
        let plan = Plan(scenarios)
        #expect(plan.sections.map(\.name) == scenarios.sections.map(\.name))
        for section in plan.sections {
            #expect(plan.items.contains { $0.section == section.name })
        }
    }

    @Test("each script that the shipped file names is there")
    func scripts() throws {
        let folder = try ResourceFolder.find()
        let scenarios = try Scenarios.load(folder.appendingPathComponent("scenarios.json"))
        let peers =
            scenarios.servers.map(\.peer) + scenarios.proxies.map(\.peer) + scenarios.clients.map(\.peer)
        let texts = peers.flatMap { $0.command + $0.prepare.joined() + $0.version }
        let named = texts.flatMap { $0.matches(of: #/\{peers\}/([A-Za-z0-9_.\-]+)/#).map { String($0.1) } }
        #expect(!named.isEmpty)
        for name in named + peers.flatMap(\.files.values) {
            let path = folder.appendingPathComponent("peers/\(name)").path
            #expect(FileManager.default.fileExists(atPath: path), "\(name)")
        }
    }

    @Test(
        "a mistake is told with its place",
        arguments: [
            (#"{"serverz": []}"#, "serverz: unknown key; known are"),
            (#"{"servers": [{"name": "a"}]}"#, "servers[0].title: missing"),
            (
                #"{"servers": [{"name": "a", "title": "A", "packages": "", "version": ["v"], "command": ["c"], "pth": ""}]}"#,
                "servers[0].pth: unknown key"
            ),
            (
                #"{"servers": [{"name": "a", "title": "A", "packages": "", "version": ["v"], "command": []}]}"#,
                "a: version and command name a program each"
            ),
            (#"{"checks": [{"name": "a", "do": "dance"}]}"#, "checks[0].do"),
            (
                #"{"checks": [{"name": "a", "do": "ping"}, {"name": "a", "do": "ping"}]}"#,
                "two entries are the check \"a\""
            ),
            (#"{"routes": [{"name": "r", "hops": ["p"]}]}"#, "no proxy is named \"p\""),
            (#"{"publicChecks": ["x"]}"#, "no check is named \"x\""),
            ("{", "the file:"),
        ])
    func mistake(text: String, expected: String) throws {
        let error = #expect(throws: ScenarioError.self) { try self.load(text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test("adding a server is one entry: it is planned with every check of the section, over each transport")
    func entry() throws {
        let scenarios = try self.load(
            """
            {"servers": [{"name": "a", "title": "A", "packages": "apt-get install a", "version": ["v"],
                          "command": ["c"], "lacks": {"ping": "has none"}}],
             "routes": [{"name": "direct", "hops": []}],
             "checks": [{"name": "ping", "do": "ping"}, {"name": "expired", "do": "refuse", "with": "expired"}],
             "sections": [{"name": "s", "title": "S", "servers": ["origin", "*"], "routes": ["direct"],
                           "checks": ["ping", "expired"], "transports": ["ws", "wss"],
                           "rows": "server", "columns": "check"}]}
            """)
        let plan = Plan(scenarios)
        #expect(
            plan.sections == [
                .init(name: "s", title: "S", rows: ["our origin", "A"], columns: ["ping", "expired"])
            ])
        let cells = plan.items.map { "\($0.row) \($0.column) \($0.transport)" }
        // A certificate shows over TLS only.
        #expect(
            cells == [
                "our origin ping ws", "our origin ping wss", "our origin expired wss",
                "A ping ws", "A ping wss", "A expired wss",
            ])
        var selection = Plan.Selection()
        selection.servers = ["a"]
        selection.checks = ["ping"]
        #expect(Plan(scenarios, selection).items.count == 2)
    }
}
