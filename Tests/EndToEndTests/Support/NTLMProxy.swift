import CulvertInterop
import Foundation

/// The verifying proxy of Peers/ntlm_proxy.py.
final class NTLMProxy: Sendable {
    struct Event: Decodable {
        var event: String
        var user: String?
        var method: String?
        var proves: Bool?
    }

    let port: Int
    let url: String
    private let process: LeashedProcess

    /// - Parameter environment: what it does otherwise than usual.
    init(isTLS: Bool, environment: [String: String] = [:]) async throws {
        let users = try Workspace.directory("ntlm").appendingPathComponent("users")
        try Workspace.write("CORP:alice:secret\n", to: users)
        var command = [PeerPython.path, Workspace.peer("ntlm_proxy.py")]
        if isTLS {
            let certificates = try await TestCertificates.shared()
            command += [certificates.certificate, certificates.key]
        }
        self.process = try await LeashedProcess(
            command, environment: environment.merging(["NTLM_USER_FILE": users.path]) { $1 })
        self.port = try await self.process.readyPort()
        self.url = "\(isTLS ? "https" : "http")://localhost:\(self.port)"
    }

    /// What it saw so far.
    var events: [Event] {
        self.process.output.lines.compactMap { try? JSONDecoder().decode(Event.self, from: Data($0.utf8)) }
    }

    func count(_ event: String) -> Int { self.events.count { $0.event == event } }

    /// Whom it let in.
    var accepted: [String] { self.events.filter { $0.event == "accepted" }.compactMap(\.user) }
}
