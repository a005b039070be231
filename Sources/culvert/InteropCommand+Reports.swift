import CulvertInterop
import Foundation

extension InteropCommand {
    /// The matrices on standard output, and the files that were asked for.
    func write(_ report: Report) throws {
        if let json {
            try Self.write(try JSONReport(report).data(), to: json, option: "--json")
        }
        if let junit {
            try Self.write(Data(JUnitReport(report).text.utf8), to: junit, option: "--junit")
        }
        if let html { try Self.write(Data(HTMLReport(report).text.utf8), to: html, option: "--html") }
        if let markdown {
            try Self.write(Data(MarkdownReport(report).text.utf8), to: markdown, option: "--markdown")
        }
        // Standard output is one of them: a program reads it, and it is no place for tables.
        guard ![json, junit, html, markdown].contains("-") else { return }
        let text = TerminalReport(report, style: TerminalStyle(descriptor: STDOUT_FILENO)).text
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    private static func write(_ data: Data, to file: String, option: String) throws {
        do {
            if file == "-" {
                try FileHandle.standardOutput.write(contentsOf: data)
            } else {
                try data.write(to: URL(fileURLWithPath: file), options: .atomic)
            }
        } catch {
            throw CommandFailure("\(option) \(file): \(error.localizedDescription)", status: .cannotCreate)
        }
    }
}
