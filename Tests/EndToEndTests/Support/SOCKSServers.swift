import CulvertInterop
import Foundation

/// The real SOCKS servers, each started at first use and shared by the whole run.
actor SOCKSServers {
    enum Kind: String, CaseIterable, Sendable {
        case microsocks
        case microsocksUsers = "microsocks with a user"
        case dante
    }

    struct Server: Sendable {
        let kind: Kind
        let port: Int
        let process: LeashedProcess

        /// `scheme://` with the right credentials where some are needed.
        func url(_ scheme: String, credentials: String? = nil) -> String {
            let userinfo = credentials ?? (self.kind == .microsocksUsers ? "alice:secret" : "")
            return "\(scheme)://\(userinfo.isEmpty ? "" : userinfo + "@")127.0.0.1:\(self.port)"
        }
    }

    static let shared = SOCKSServers()

    private var servers: [Kind: Task<Server, any Error>] = [:]

    func server(_ kind: Kind) async throws -> Server {
        if let task = self.servers[kind] { return try await task.value }
        let task = Task { try await Self.start(kind) }
        self.servers[kind] = task
        return try await task.value
    }

    private static func start(_ kind: Kind) async throws -> Server {
        let port = try LoopbackPort.free()
        var command = ["microsocks", "-i", "127.0.0.1", "-p", "\(port)"]
        switch kind {
        case .microsocks: break
        case .microsocksUsers: command += ["-u", "alice", "-P", "secret"]
        case .dante:
            let directory = try Workspace.directory("dante")
            let configuration = directory.appendingPathComponent("conf")
            try Workspace.write(self.dante(port: port, directory: directory.path), to: configuration)
            command = ["danted", "-f", configuration.path, "-p", "\(directory.path)/pid"]
        }
        let process = try await LeashedProcess(command, rights: .nobody)
        try await process.accepts(on: port)
        return Server(kind: kind, port: port, process: process)
    }

    private static func dante(port: Int, directory: String) -> String {
        """
        logoutput: \(directory)/log
        internal: 127.0.0.1 port = \(port)
        external: lo
        clientmethod: none
        socksmethod: none
        client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
        socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 command: connect }

        """
    }
}
