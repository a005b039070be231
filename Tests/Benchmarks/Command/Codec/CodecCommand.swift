import ArgumentParser
import Foundation

struct CodecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codec",
        abstract: "Measures masking, UTF-8, frames, permessage-deflate and the heads of HTTP.",
        discussion: """
            Time is the processor's, of one thread, the median of nine samples. Allocations are counted, not \
            sampled: every call of malloc and its kin is seen on its way to glibc.
            """)

    @Option(help: ArgumentHelp("How long to measure each benchmark.", valueName: "seconds"))
    var seconds = 0.5

    @Option(help: ArgumentHelp("Only benchmarks with this in their name.", valueName: "text"))
    var only = ""

    @Flag(help: "Print one JSON object a line instead of a table.")
    var json = false

    mutating func validate() throws {
        guard self.seconds > 0 else { throw ValidationError("--seconds is more than 0.") }
    }

    func run() throws {
        let isJSON = self.json
        if !isJSON { print(CodecResult.tableHead) }
        let stopwatch = Stopwatch(seconds: self.seconds, only: self.only) { result in
            print(isJSON ? try JSONText.line(result) : result.tableRow)
        }
        try ByteBenchmarks(stopwatch: stopwatch).run()
        try FrameBenchmarks(stopwatch: stopwatch).run()
        try DeflateBenchmarks(stopwatch: stopwatch).run()
        try HeadBenchmarks(stopwatch: stopwatch).run()
    }
}
