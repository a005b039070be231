import CulvertInterop
import Synchronization
import Testing

@Suite("progress")
struct ProgressReportTests {
    /// What was written, and a clock that stands still until told.
    private final class Screen: Sendable {
        private let writes = Mutex<[String]>([])
        private let instant = Mutex(ContinuousClock.now)

        var all: [String] { self.writes.withLock { $0 } }
        var text: String { self.all.joined() }

        func advance(_ duration: Duration) { self.instant.withLock { $0 += duration } }

        func progress(width: Int = 80, isLive: Bool, isQuiet: Bool = false) -> Progress {
            Progress(
                style: TerminalStyle(width: width, isLive: isLive), isQuiet: isQuiet,
                now: { self.instant.withLock { $0 } },
                write: { text in self.writes.withLock { $0.append(text) } })
        }
    }

    private func run(_ progress: Progress, _ screen: Screen) {
        progress.begin(total: 120)
        progress.started("Tornado")
        progress.started("Ne\u{1B}tty")
        progress.finished(check("Tornado", "text"), in: "Tornado")
        progress.finished(
            check("Tornado", "empty", "culvert", "ws", .fail(.timedOut, "10 s\n")), in: "Tornado")
        screen.advance(.milliseconds(2100))
        progress.finished(check("Netty", "text", "", "", .unavailable(.missing, "apt")), in: "Ne\u{1B}tty")
        progress.ended("Tornado")
        progress.ended("Ne\u{1B}tty")
        progress.end()
    }

    @Test("a log gets a line for each group that ended, with its failures")
    func lines() {
        let screen = Screen()
        self.run(screen.progress(isLive: false), screen)
        #expect(
            screen.text == """
                [  3/120] ✗ Tornado: 1 passed, 1 failed, 0 unavailable, 2.1 s
                    ✗ empty with culvert (ws): timed out: 10 s\\n
                [  3/120] – Ne\\u{1b}tty: 0 passed, 0 failed, 1 unavailable (1 missing, 0 unsupported, 0 unreachable), 2.1 s

                """)
    }

    @Test("a terminal gets one line that is rewritten, fits and goes away", arguments: [10, 30, 80])
    func live(width: Int) {
        let screen = Screen()
        self.run(screen.progress(width: width, isLive: true), screen)
        for write in screen.all {
            #expect(write.unicodeScalars.first == "\r" && write.hasSuffix("\u{1B}[K"))
            #expect(write.unicodeScalars.dropFirst().dropLast(3).count < width)
            #expect(!write.unicodeScalars.contains("\n"))
        }
        #expect(screen.all.last == "\r\u{1B}[K")
        if width == 80 {
            #expect(
                screen.all.contains(
                    "\r  2/120  1 passed, 1 failed, 0 unavailable  Tornado, Ne\\u{1b}tty\u{1B}[K"))
        }
    }

    @Test("quiet is silent", arguments: [true, false])
    func quiet(isLive: Bool) {
        let screen = Screen()
        self.run(screen.progress(isLive: isLive, isQuiet: true), screen)
        #expect(screen.all.isEmpty)
    }

    @Test("what is still open at the end is told, and a second end tells nothing")
    func openGroups() {
        let screen = Screen()
        let progress = screen.progress(isLive: false)
        progress.begin(total: 0)
        progress.started("Tornado")
        progress.finished(check("Tornado", "text"))
        progress.ended("never began")
        progress.end()
        progress.end()
        #expect(screen.text == "[1] ✓ Tornado: 1 passed, 0 failed, 0 unavailable, 0 ms\n")
    }

    @Test("many tasks at once lose no result and mix no lines")
    func concurrency() async {
        let screen = Screen()
        let progress = screen.progress(isLive: false)
        progress.begin(total: 2000)
        await withTaskGroup(of: Void.self) { tasks in
            for number in 0..<20 {
                tasks.addTask {
                    progress.started("group \(number)")
                    for _ in 0..<100 { progress.finished(check("a", "b"), in: "group \(number)") }
                    progress.ended("group \(number)")
                }
            }
        }
        progress.end()
        #expect(screen.all.count == 20)
        let isWhole = screen.all.allSatisfy { $0.contains(": 100 passed, 0 failed, 0 unavailable") }
        #expect(isWhole)
        #expect(screen.all.last?.hasPrefix("[2000/2000]") == true)
    }
}
