import CulvertInterop
import Foundation
import Testing

/// The TestSuite that Tests/install.sh --autobahn puts into an environment of its own.
private enum TestSuite {
    static let environment = Workspace.package.appendingPathComponent(".build/peers/venv-autobahn")

    static var isInstalled: Bool {
        FileManager.default.fileExists(atPath: self.environment.appendingPathComponent("installed").path)
    }
}

/// The original Autobahn TestSuite on this build: groups 1 to 7, 9 and 10, and a fixed part of 12 and 13.
/// Tests/autobahn.sh runs all of it.
@Suite(
    "the Autobahn TestSuite", .serialized, .timeLimit(.minutes(20)), .requires(.openssl, .python3),
    .enabled(
        if: TestSuite.isInstalled || Tool.areRequired,
        "needs the TestSuite: run Tests/install.sh --autobahn"))
struct AutobahnTests {
    @Test(
        "every case is OK, or INFORMATIONAL where the suite has no other result",
        arguments: ["server-ws", "client-wss", "client-tunnel"])
    func cases(run: String) async throws {
        let result = try await Command.run(
            [
                "python3", Workspace.package.appendingPathComponent("Tests/Autobahn/suite.py").path,
                "--bin", URL(fileURLWithPath: CulvertCommand.path).deletingLastPathComponent().path,
                "--suite", TestSuite.environment.path, "--out", try Workspace.directory("autobahn").path,
                "--cases", "quick", run,
            ], input: [], within: .seconds(1000))
        // The counts, for the test script's summary.
        print(result.text, terminator: "")
        #expect(result.status == 0, "\(result.text) \(result.errors)")
    }
}
