import CulvertInterop
import Foundation

/// The `culvert` program under test: the one beside this test bundle, or `CULVERT_BIN`.
enum CulvertCommand {
    static let path: String = {
        if let path = ProcessInfo.processInfo.environment["CULVERT_BIN"] { return path }
        #if os(macOS)
            let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? Bundle.main
            let directory = bundle.bundleURL.deletingLastPathComponent()
        #else
            let directory = Bundle.main.bundleURL
        #endif
        return directory.appendingPathComponent("culvert").path
    }()

    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: String = "",
        within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        try await self.run(arguments, environment: environment, bytes: Array(input.utf8), within: limit)
    }

    static func run(
        _ arguments: [String], environment: [String: String] = [:], bytes: [UInt8],
        within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        try await Command.run([self.path] + arguments, environment: environment, input: bytes, within: limit)
    }
}
