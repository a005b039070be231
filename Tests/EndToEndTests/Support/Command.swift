/// A program run from start to end.
struct CommandResult: Sendable {
    var status: Int32
    var output: [UInt8]
    var errors: String

    var text: String { String(decoding: self.output, as: UTF8.self) }

    /// Complete lines of standard output.
    var lines: [String] {
        Array(self.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()).map(String.init)
    }

    var lastErrorLine: String { self.errors.split(separator: "\n").last.map(String.init) ?? "" }
}

enum Command {
    /// Runs `command` to its end; kills it and throws `TimedOut` at the deadline.
    static func run(
        _ command: [String], environment: [String: String] = [:], input: [UInt8]? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        let process = try ChildProcess(
            command, environment: environment, input: input.map { .bytes($0) } ?? .nothing)
        let status = try await process.exit(within: limit)
        return CommandResult(status: status, output: process.output.bytes, errors: process.errors.text)
    }

    /// The same, for a step that only prepares a test: a failure throws with what the program said.
    @discardableResult
    static func check(
        _ command: [String], environment: [String: String] = [:], input: [UInt8]? = nil
    ) async throws -> CommandResult {
        let result = try await self.run(command, environment: environment, input: input)
        guard result.status == 0 else {
            throw CommandFailed(command: command, result: result)
        }
        return result
    }
}

struct CommandFailed: Error, CustomStringConvertible {
    let command: [String]
    let result: CommandResult

    var description: String {
        "\(self.command.joined(separator: " ")) ended with \(self.result.status): \(self.result.errors)"
    }
}
