import CulvertInterop
import Foundation

/// A proxy that answers CONNECT in one odd way, and tells what it was sent. The oddities are in
/// Peers/scripted_proxy.py; behind an accepted CONNECT it echoes.
struct ScriptedProxy: Sendable {
    /// A request head it received, in how many reads, and on its how-manieth connection.
    struct Head: Decodable, Sendable {
        var text: String
        var receives: Int
        var connection: Int

        var lines: [String] { self.text.components(separatedBy: "\r\n") }

        func values(_ name: String) -> [String] {
            self.lines.filter { $0.lowercased().hasPrefix("\(name.lowercased()):") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    private struct Event: Decodable {
        var event: String
        var received: Int?
    }

    /// Sent by the oddities whose names end in `+early-bytes`, in the same packet as the head.
    static let banner = "SSH-2.0-OpenSSH_9.2\r\n220 mail.example ESMTP\r\n"

    let process: LeashedProcess
    let port: Int

    init(_ oddity: String) async throws {
        self.process = try await LeashedProcess([
            PeerPython.path, Workspace.peer("scripted_proxy.py"), oddity,
        ])
        self.port = try await self.process.readyPort()
    }

    func url(credentials: String = "") -> String { "http://\(credentials)127.0.0.1:\(self.port)" }

    func heads() throws -> [Head] {
        try self.process.output.lines.filter { $0.contains("\"event\": \"head\"") }
            .map { try JSONDecoder().decode(Head.self, from: Data($0.utf8)) }
    }

    /// How many bytes the tunnel carried from the client, once it has ended.
    func tunnelled() async throws -> Int {
        var count: Int?
        try await eventually("the tunnel ends") {
            count = try self.process.output.lines.filter { $0.contains("\"event\": \"tunnel\"") }
                .map { try JSONDecoder().decode(Event.self, from: Data($0.utf8)).received ?? -1 }.first
            return count != nil
        }
        return try count.unwrapped("the tunnel's end")
    }
}
