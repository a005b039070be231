import ArgumentParser
import Foundation
import PACEngine

/// The process in which a proxy auto-configuration script runs; the commands and the libraries start it.
struct PACEvaluatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pac-evaluator",
        abstract:
            "Evaluate a PAC script: a question in JSON on standard input, the answer on standard output.",
        shouldDisplay: false)

    /// This program, to be started again.
    static var invocation: [String] {
        [Bundle.main.executablePath ?? CommandLine.arguments[0], "pac-evaluator"]
    }

    func run() throws {
        guard PACWorker.run() else { throw ExitCode(CommandStatus.badInput.rawValue) }
    }
}
