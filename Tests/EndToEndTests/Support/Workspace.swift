import CulvertInterop
import Foundation

/// Where a test run keeps its files.
enum Workspace {
    /// One directory for the whole run, removed when the test process exits.
    private static let scratch: ScratchDirectory = {
        do {
            let scratch = try ScratchDirectory("culvert-e2e")
            rootPath = scratch.url.path
            atexit { try? FileManager.default.removeItem(atPath: Workspace.rootPath) }
            return scratch
        } catch {
            preconditionFailure("no temporary directory: \(error)")
        }
    }()

    nonisolated(unsafe) private static var rootPath = ""

    static var root: URL { self.scratch.url }

    /// A fresh directory that every user may write: the whole run is on loopback and thrown away.
    static func directory(_ name: String) throws -> URL { try self.scratch.directory(name) }

    /// A file in a fresh directory.
    static func file(_ name: String, _ text: String, in directory: String) throws -> URL {
        let url = try self.directory(directory).appendingPathComponent(name)
        try self.write(text, to: url)
        return url
    }

    static func write(_ text: String, to url: URL) throws {
        try Data(text.utf8).write(to: url)
    }

    /// The path of a script in Peers.
    static func peer(_ name: String) -> String {
        self.tests.appendingPathComponent("Peers/\(name)").path
    }

    /// Tests/EndToEndTests.
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The top of the repository.
    static let package = tests.deletingLastPathComponent().deletingLastPathComponent()
}
