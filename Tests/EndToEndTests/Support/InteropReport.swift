import CulvertInterop
import Foundation

/// What `culvert interop --json` says.
struct InteropReport: Decodable, Sendable {
    struct Result: Decodable, Sendable {
        var cause: String?
        var client: String
        var column: String
        var detail: String?
        var reason: String?
        var row: String
        var section: String
        var variant: String
        var verdict: String
    }

    struct Part: Decodable, Sendable {
        var kind: String
        var name: String
        var title: String
        var version: String?
    }

    var outcome: String
    var parts: [Part]
    var results: [Result]
    var summary: [String: Int]

    /// Runs the command; its report, and how it ended.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], within limit: Duration = .seconds(60)
    ) async throws -> (report: InteropReport, result: CommandResult) {
        let file = try Workspace.directory("interop").appendingPathComponent("report.json")
        let result = try await CulvertCommand.run(
            ["interop", "--json", file.path] + arguments, environment: environment, within: limit)
        guard let data = try? Data(contentsOf: file) else {
            throw CommandFailed(command: ["culvert", "interop"] + arguments, result: result)
        }
        return (try JSONDecoder().decode(InteropReport.self, from: data), result)
    }

    func results(_ section: String, client: String? = nil, verdict: String? = nil) -> [Result] {
        self.results.filter {
            $0.section == section && (client == nil || $0.client == client)
                && (verdict == nil || $0.verdict == verdict)
        }
    }
}
