import Foundation

/// A program that lives no longer than we do: it runs under leash.py, which stops it when this object goes or our
/// process ends, however that happens.
package final class LeashedProcess: Sendable {
    /// Whose rights the server runs with when we are root.
    package enum Rights: Sendable {
        case ours
        /// For daemons that refuse root, or should not have it.
        case nobody
    }

    private let leash: ChildProcess
    private let directory: ScratchDirectory
    /// The server's own pid, not the leash's.
    package let pid: Int32

    package var output: CapturedOutput { self.leash.output }
    package var errors: CapturedOutput { self.leash.errors }
    package var hasEnded: Bool { self.leash.status != nil }

    package init(
        _ command: [String], environment: [String: String] = [:], rights: Rights = .ours
    ) async throws {
        let directory = try ScratchDirectory("culvert-leash")
        self.directory = directory
        let pidFile = directory.url.appendingPathComponent("pid")
        var arguments = ["python3", try ResourceFolder.find().appendingPathComponent("leash.py").path]
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
    package func readyPort() async throws -> Int {
        try await self.port(after: "ready ", in: self.output)
    }

    /// Waits for a line that begins with `prefix` and returns the port at its end, behind a space or a colon.
    package func port(after prefix: String, in output: CapturedOutput) async throws -> Int {
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
    package func accepts(on port: Int) async throws {
        try await eventually("port \(port) accepts", within: .seconds(20)) {
            if self.hasEnded { throw TimedOut(what: "the program ended: \(self.errors.text.suffix(2000))") }
            return LoopbackPort.accepts(port)
        }
    }

    package func signal(_ number: Int32) { kill(self.pid, number) }

    /// Ends it and waits for that.
    package func stop() async throws {
        self.leash.closeInput()
        _ = try await self.leash.exit(within: .seconds(10))
    }

    package func exit(within limit: Duration) async throws -> Int32 {
        try await self.leash.exit(within: limit)
    }
}
