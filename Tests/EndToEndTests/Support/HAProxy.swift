import CulvertInterop
import Foundation

/// A running HAProxy that passes TCP on, on a free loopback port.
struct HAProxy: Sendable {
    let port: Int
    let process: LeashedProcess

    /// - Parameters:
    ///   - bind: options of its own port.
    ///   - server: the port behind it, on 127.0.0.1.
    ///   - options: of the connections there.
    init(bind: String = "", server: Int, options: String = "") async throws {
        self.port = try LoopbackPort.free()
        let configuration = try Workspace.directory("haproxy").appendingPathComponent("conf")
        try Workspace.write(
            """
            defaults
                mode tcp
                timeout connect 10s
                timeout client 60s
                timeout server 60s
            listen front
                bind 127.0.0.1:\(self.port) \(bind)
                server proxy 127.0.0.1:\(server) \(options)

            """, to: configuration)
        self.process = try await LeashedProcess(["haproxy", "-db", "-f", configuration.path])
        try await self.process.accepts(on: self.port)
    }
}
