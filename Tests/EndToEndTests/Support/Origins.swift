import CulvertInterop
import Foundation

/// The WebSocket servers and the HTTP origin, each started at first use and shared by the whole run.
actor Origins {
    /// A WebSocket server; what its paths do is written in Peers/websocket_echo.py.
    enum WebSocket: String, CaseIterable, Sendable {
        case python = "Python, ws"
        case pythonTLS = "Python, wss"
        case node = "Node, ws"
        case nodeTLS = "Node, wss"

        var isTLS: Bool { self == .pythonTLS || self == .nodeTLS }
    }

    /// A started origin.
    struct Server: Sendable {
        let scheme: String
        let port: Int
        let process: LeashedProcess
        /// Served below /git/.
        let gitRoot: URL

        var authority: String { "localhost:\(self.port)" }

        func url(_ path: String) -> String { "\(self.scheme)://\(self.authority)\(path)" }
    }

    static let shared = Origins()

    private var webSockets: [WebSocket: Task<Server, any Error>] = [:]
    private var https: Task<Server, any Error>?
    private var http: Task<Server, any Error>?

    func webSocket(_ kind: WebSocket) async throws -> Server {
        if let task = self.webSockets[kind] { return try await task.value }
        let task = Task { try await Self.start(kind) }
        self.webSockets[kind] = task
        return try await task.value
    }

    /// The HTTPS origin of Peers/origin.py.
    func web() async throws -> Server {
        if let task = self.https { return try await task.value }
        let task = Task {
            let root = try Workspace.directory("git")
            let certificates = try await TestCertificates.shared()
            let process = try await LeashedProcess([
                PeerPython.path, Workspace.peer("origin.py"), root.path, certificates.certificate,
                certificates.key,
            ])
            return Server(
                scheme: "https", port: try await process.readyPort(), process: process, gitRoot: root)
        }
        self.https = task
        return try await task.value
    }

    /// The same without TLS.
    func plainWeb() async throws -> Server {
        if let task = self.http { return try await task.value }
        let task = Task { try await Self.startPlainWeb() }
        self.http = task
        return try await task.value
    }

    /// One that nobody shares.
    static func startPlainWeb() async throws -> Server {
        let root = try Workspace.directory("git")
        let process = try await LeashedProcess([PeerPython.path, Workspace.peer("origin.py"), root.path])
        return Server(scheme: "http", port: try await process.readyPort(), process: process, gitRoot: root)
    }

    private static func start(_ kind: WebSocket) async throws -> Server {
        let certificates = try await TestCertificates.shared()
        var command: [String]
        switch kind {
        case .python, .pythonTLS: command = [PeerPython.path, Workspace.peer("websocket_echo.py")]
        case .node, .nodeTLS: command = ["node", Workspace.peer("websocket_echo.js")]
        }
        if kind.isTLS { command += [certificates.certificate, certificates.key] }
        // Where Debian keeps the `ws` package.
        let process = try await LeashedProcess(command, environment: ["NODE_PATH": "/usr/share/nodejs"])
        return Server(
            scheme: kind.isTLS ? "wss" : "ws", port: try await process.readyPort(), process: process,
            gitRoot: Workspace.root)
    }
}
