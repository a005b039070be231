import Foundation

/// A server that lives no longer than the test run: it runs under Peers/leash.py, which stops it when this object
/// goes or the test process ends, however that happens.
final class LeashedProcess: Sendable {
    /// Whose rights the server runs with when the tests run as root.
    enum Rights {
        case ours
        /// For daemons that refuse root, or should not have it.
        case nobody
    }

    private let leash: ChildProcess
    /// The server's own pid, not the leash's.
    let pid: Int32

    var output: CapturedOutput { self.leash.output }
    var errors: CapturedOutput { self.leash.errors }
    var hasEnded: Bool { self.leash.status != nil }

    init(
        _ command: [String], environment: [String: String] = [:], rights: Rights = .ours
    ) async throws {
        let pidFile = try Workspace.directory("leash").appendingPathComponent("pid")
        var arguments = [Tool.pythonPath, Workspace.peer("leash.py")]
        if case .nobody = rights { arguments.append("--unprivileged") }
        let leash = try ChildProcess(
            arguments + [pidFile.path] + command, environment: environment, input: .open)
        self.leash = leash
        var pid: Int32?
        try await eventually("\(command.first ?? "") starts") {
            pid = (try? String(contentsOf: pidFile, encoding: .utf8)).flatMap(Int32.init)
            return pid != nil || leash.status != nil
        }
        guard let pid else { throw TimedOut(what: "leash: \(leash.errors.text)") }
        self.pid = pid
    }

    deinit { self.leash.closeInput() }

    /// Waits for a line `ready PORT` on standard output.
    func readyPort() async throws -> Int {
        try await self.port(after: "ready ", in: self.output)
    }

    /// Waits for a line that begins with `prefix` and returns the port at its end, behind a space or a colon.
    func port(after prefix: String, in output: CapturedOutput) async throws -> Int {
        var port: Int?
        try await eventually("\(prefix)…; stderr: \(self.errors.text.suffix(500))", within: .seconds(20)) {
            let line = output.lines.first { $0.hasPrefix(prefix) }
            port = line.flatMap { $0.split { $0 == " " || $0 == ":" }.last }.flatMap { Int($0) }
            if self.hasEnded && port == nil {
                throw TimedOut(what: "\(prefix)…: the program ended: \(self.errors.text.suffix(2000))")
            }
            return port != nil
        }
        guard let port else { throw TimedOut(what: prefix) }
        return port
    }

    /// Waits until something accepts on `port`: for daemons that announce nothing.
    func accepts(on port: Int) async throws {
        try await eventually("port \(port) accepts", within: .seconds(20)) {
            if self.hasEnded { throw TimedOut(what: "the program ended: \(self.errors.text.suffix(2000))") }
            return Workspace.accepts(port: port)
        }
    }

    func signal(_ number: Int32) { kill(self.pid, number) }

    /// Ends it and waits for that.
    func stop() async throws {
        self.leash.closeInput()
        _ = try await self.leash.exit(within: .seconds(10))
    }

    func exit(within limit: Duration) async throws -> Int32 { try await self.leash.exit(within: limit) }
}
