import CulvertInterop
import Foundation

/// Python's file server with these files.
struct FileServer {
    let port: Int
    private let process: LeashedProcess

    init(_ files: [String: String]) async throws {
        let root = try Workspace.directory("files")
        for (name, text) in files { try Workspace.write(text, to: root.appendingPathComponent(name)) }
        self.port = try LoopbackPort.free()
        self.process = try await LeashedProcess([
            PeerPython.path, "-m", "http.server", "--bind", "127.0.0.1", "--directory", root.path,
            "\(self.port)",
        ])
        try await self.process.accepts(on: self.port)
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(self.port)\(path)" }
}
