import Foundation
import Testing

@testable import CulvertInterop

@Suite("terminal reports")
struct TerminalReportTests {
    private func text(_ report: Report = .mixed, width: Int = 80, colour: Bool = false, utf8: Bool = true)
        -> String
    {
        TerminalReport(report, style: TerminalStyle(width: width, hasColour: colour, isUTF8: utf8)).text
    }

    @Test("a matrix has its marks in the columns of their names")
    func matrix() {
        let lines = self.text().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(
            lines.prefix(6) == [
                "Servers through CONNECT",
                "               text  close-4999  compression",
                "Tornado        ✓     ✗           ✓–",
                "libwebsockets  ✗                 –",
                "proxy.py       ✗",
                "Yaws           –     –           –",
            ])
    }

    @Test("the end tells what the reasons are and how many")
    func lists() {
        let text = self.text()
        #expect(text.contains("    – compression: libwebsockets: unsupported: built without (2)\n"))
        #expect(text.contains("    – compression: Tornado with libcurl (ws): unsupported: no codec\n"))
        #expect(text.contains("    – Yaws: missing: apt-get install yaws (3)\n"))
        #expect(text.contains("    ✗ close-4999: Tornado with culvert (ws): mismatch: <script>"))
        #expect(text.contains("    ✗ text: proxy.py: refused by the proxy (403):\n      \\u{1b}[2J"))
        #expect(
            text.hasSuffix(
                "\n5 passed, 3 failed, 7 unavailable (3 missing, 3 unsupported, 1 unreachable) in 73 s\n"))
    }

    @Test("nothing is wider than the terminal", arguments: [20, 40, 61, 80, 200])
    func width(width: Int) {
        var report = Report.mixed
        report.sections[0].columns += (1...20).map { "check-number-\($0)" }
        report.results += (1...20).map { check("A server whose name is long", "check-number-\($0)") }
        let lines = self.text(report, width: width).split(separator: "\n").dropLast(1)
        #expect(lines.filter { $0.columnCountForTest > max(width, 40) } == [])
        for column in report.sections[0].columns.map({ $0.split(separator: "-").last ?? "" }) {
            #expect(lines.contains { $0.contains(column) })
        }
        // Each passes in one place, and in one block only.
        let marks = lines.joined().filter { $0 == "✓" }.count
        #expect(marks == 20 + 2 + 2)
    }

    @Test("colour is used where allowed, and every colour ends")
    func colour() {
        let text = self.text(colour: true)
        #expect(text.contains("\u{1B}[31m✗\u{1B}[0m"))
        #expect(text.split(separator: "\u{1B}[0m").count > 10)
        #expect(!self.text().contains("\u{1B}"))
    }

    @Test("without UTF-8 every byte is ASCII")
    func ascii() {
        var report = Report.mixed
        report.results.append(check("Café", "text", "culvert", "", .fail(.other, "日本")))
        let text = self.text(report, utf8: false)
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        #expect(isASCII)
        #expect(text.contains("FAIL"))
        #expect(text.contains("Caf\\u{e9}"))
    }

    @Test("a peer's text writes no controls, and a page of it is cut")
    func hostile() {
        let text = self.text()
        let controls = text.unicodeScalars.filter { $0 != "\n" && !$0.isHarmless }
        #expect(controls.isEmpty)
        #expect(!text.contains(String(repeating: "0123456789", count: 45)))
        #expect(text.contains("…"))
    }

    @Test("an empty report says so")
    func empty() {
        #expect(self.text(.empty) == "no check was run\n0 passed, 0 failed, 0 unavailable in 0 ms\n")
    }

    @Test("peers that are missing and required are named in the end")
    func required() {
        var report = Report.of([check("a", "b"), check("a", "c", "", "", .unavailable(.missing, "x"))])
        #expect(!self.text(report).contains("required"))
        report.requiresPeers = true
        #expect(self.text(report).contains("the run failed for peers that are missing: all are required\n"))
    }

    static let styles: [([String: String], Bool, Int?, TerminalStyle)] = [
        (
            ["TERM": "xterm", "LANG": "en_US.UTF-8"], true, 100,
            .init(width: 100, hasColour: true, isLive: true)
        ),
        (
            ["TERM": "xterm", "LANG": "C.utf8", "NO_COLOR": "1"], true, nil,
            .init(width: 80, hasColour: false, isLive: true)
        ),
        (
            ["TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": ""], true, nil,
            .init(width: 80, hasColour: true, isLive: true)
        ),
        (["TERM": "dumb", "LC_ALL": "C", "LANG": "en_US.UTF-8"], true, 90, .init(width: 90, isUTF8: false)),
        (["TERM": "xterm", "LC_CTYPE": "de_DE.UTF-8"], false, nil, .init(width: 120)),
        (["COLUMNS": "66", "LANG": ""], false, nil, .init(width: 66, isUTF8: false)),
        (["COLUMNS": "-5"], false, 0, .init(width: 120, isUTF8: false)),
    ]

    @Test("the environment decides on colour, width and marks", arguments: styles)
    func style(environment: [String: String], isTerminal: Bool, width: Int?, style: TerminalStyle) {
        #expect(TerminalStyle(environment: environment, isTerminal: isTerminal, width: width) == style)
    }

    @Test("a terminal is asked for its width, a pipe is none")
    func descriptors() throws {
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(terminal >= 0)
        defer { close(terminal) }
        var size = winsize()
        size.ws_col = 133
        let isSet = ioctl(terminal, UInt(TIOCSWINSZ), &size)
        try #require(isSet == 0)
        let environment = ["TERM": "xterm", "LANG": "C.UTF-8"]
        #expect(
            TerminalStyle(descriptor: terminal, environment: environment)
                == TerminalStyle(width: 133, hasColour: true, isLive: true))
        let pipe = Pipe()
        #expect(
            TerminalStyle(descriptor: pipe.fileHandleForWriting.fileDescriptor, environment: environment)
                == TerminalStyle(width: TerminalStyle.pipeWidth))
    }
}

extension Substring {
    fileprivate var columnCountForTest: Int { String(self).columnCount }
}
