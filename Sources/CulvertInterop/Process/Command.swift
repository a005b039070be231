/// A program run from start to end.
package struct CommandResult: Sendable {
    package var status: Int32
    package var output: [UInt8]
    package var errors: String

    package init(status: Int32, output: [UInt8], errors: String) {
        self.status = status
        self.output = output
        self.errors = errors
    }

    package var text: String { String(decoding: self.output, as: UTF8.self) }

    /// Complete lines of standard output.
    package var lines: [String] {
        Array(self.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()).map(String.init)
    }

    package var lastErrorLine: String { self.errors.split(separator: "\n").last.map(String.init) ?? "" }
}

package enum Command {
    /// Runs `command` to its end; kills it and throws `TimedOut` at the deadline.
    package static func run(
        _ command: [String], environment: [String: String] = [:], input: [UInt8]? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        let process = try ChildProcess(
            command, environment: environment, input: input.map { .bytes($0) } ?? .nothing)
        let status = try await process.exit(within: limit)
        return CommandResult(status: status, output: process.output.bytes, errors: process.errors.text)
    }

    /// The same, for a step that only prepares something: a failure throws with what the program said.
    @discardableResult
    package static func check(
        _ command: [String], environment: [String: String] = [:], input: [UInt8]? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        let result = try await self.run(
            command, environment: environment, input: input, within: limit)
        guard result.status == 0 else {
            throw CommandFailed(command: command, result: result)
        }
        return result
    }
}

package struct CommandFailed: Error, CustomStringConvertible {
    package let command: [String]
    package let result: CommandResult

    package init(command: [String], result: CommandResult) {
        self.command = command
        self.result = result
    }

    package var description: String {
        "\(self.command.joined(separator: " ")) ended with \(self.result.status): \(self.result.errors)"
    }
}
