import Foundation

/// Finds and starts peers, each at first use; they end with this object.
package actor PeerPool {
    /// A peer that runs.
    package struct Running: Sendable {
        package let port: Int
        let process: LeashedProcess
    }

    private let scratch: ScratchDirectory
    private let placeholders: [String: String]
    private let searchPath: String
    private var versions: [String: Task<String?, Never>] = [:]
    private var running: [String: Task<Running, any Error>] = [:]

    /// - Parameter placeholders: the values of those that are the same for every peer.
    package init(placeholders: [String: String]) throws {
        self.placeholders = placeholders
        self.scratch = try ScratchDirectory("culvert-interop")
        self.searchPath =
            (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
            + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/games"
    }

    /// The installed version; nil when the peer is missing.
    package func version(of recipe: PeerRecipe) async -> String? {
        let task =
            self.versions[recipe.name]
            ?? Task { [placeholders, searchPath] in
                await Self.version(of: recipe, placeholders, searchPath)
            }
        self.versions[recipe.name] = task
        return await task.value
    }

    /// Starts a peer, or gives the one that runs.
    ///
    /// - Parameter upstream: `host:port` of the peer behind it.
    /// - Throws: `PeerMissing`; `InteropFailure` when it is there but does not start.
    package func start(_ recipe: PeerRecipe, upstream: String? = nil) async throws -> Running {
        guard await self.version(of: recipe) != nil else {
            throw PeerMissing("\(recipe.title) is missing: \(recipe.packages)")
        }
        let task =
            self.running[recipe.name]
            ?? Task {
                do {
                    return try await self.launch(recipe, upstream)
                } catch {
                    throw InteropFailure(.other, "\(recipe.title) does not start: \(error)")
                }
            }
        self.running[recipe.name] = task
        return try await task.value
    }

    /// Runs a client to its end.
    package func run(_ recipe: PeerRecipe, _ own: [String: String], within limit: Duration) async throws
        -> CommandResult
    {
        let launch = try await self.prepare(recipe, own)
        return try await Command.run(launch.command, environment: launch.environment, within: limit)
    }

    /// Ends all of them and waits for that.
    package func stop() async {
        for task in self.running.values {
            if let peer = try? await task.value { try? await peer.process.stop() }
        }
        self.running = [:]
    }

    private struct Launch {
        var command: [String]
        var environment: [String: String]
    }

    /// Three: between the choice of a port and its use somebody else may take it.
    private static let maxAttempts = 3

    private func launch(_ recipe: PeerRecipe, _ upstream: String?) async throws -> Running {
        var attempt = 1
        while true {
            let port = try LoopbackPort.free()
            var own = ["port": String(port)]
            own["upstream"] = upstream
            let launch = try await self.prepare(recipe, own)
            let process = try await LeashedProcess(
                launch.command, environment: launch.environment,
                rights: recipe.isUnprivileged ? .nobody : .ours)
            do {
                try await process.accepts(on: port)
                try await Task.sleep(for: recipe.settling)
                return Running(port: port, process: process)
            } catch {
                guard attempt < Self.maxAttempts, process.hasEnded else { throw error }
                attempt += 1
            }
        }
    }

    private func prepare(_ recipe: PeerRecipe, _ own: [String: String]) async throws -> Launch {
        let directory = try self.scratch.directory(recipe.name)
        let values = self.placeholders.merging(own) { $1 }.merging(["dir": directory.path]) { $1 }
        for (name, template) in recipe.files {
            let source = URL(fileURLWithPath: values["peers"] ?? "").appendingPathComponent(template)
            let text = try String(contentsOf: source, encoding: .utf8)
            try Data(Self.fill(text, values).utf8).write(to: directory.appendingPathComponent(name))
        }
        var environment = ["HOME": directory.path, "TMPDIR": directory.path, "PATH": self.searchPath]
        environment.merge(recipe.environment.mapValues { Self.fill($0, values) }) { $1 }
        for step in recipe.prepare {
            try await Command.check(
                step.map { Self.fill($0, values) }, environment: environment, within: .seconds(120))
        }
        return Launch(command: recipe.command.map { Self.fill($0, values) }, environment: environment)
    }

    private static func version(
        of recipe: PeerRecipe, _ placeholders: [String: String], _ searchPath: String
    ) async -> String? {
        let command = recipe.version.map { self.fill($0, placeholders) }
        let environment = ["PATH": searchPath].merging(recipe.environment) { $1 }
        guard let result = try? await Command.run(command, environment: environment, within: .seconds(30)),
            result.status == 0
        else { return nil }
        return (result.text + "\n" + result.errors).firstMatch(of: #/\d+(\.\d+)+[a-z0-9.]*/#).map {
            String($0.0)
        }
            ?? "unknown"
    }

    private static func fill(_ text: String, _ values: [String: String]) -> String {
        var text = text
        for (name, value) in values { text = text.replacingOccurrences(of: "{\(name)}", with: value) }
        return text
    }
}

/// A peer is not installed; says what to install.
package struct PeerMissing: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
