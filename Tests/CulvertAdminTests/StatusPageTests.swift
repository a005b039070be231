import CulvertProxy
import Foundation
import Testing

@testable import CulvertAdmin

@Suite("The status page without JavaScript")
struct StatusPageTests {
    private var report: StatusReport {
        let totals = ProxyTotals()
        return StatusReport(
            state: "serving", version: "1.2.3", time: 1000, uptime: 3725, listeners: ["127.0.0.1:3128"],
            connectionsOpen: 3, tunnelsOpen: 2, tunnelsOpened: 12, requests: 15, refused: 4,
            bytesUp: 1_500_000, bytesDown: 999,
            now: StatusSample(at: 1000, from: totals, to: totals, seconds: 1), process: .init(),
            destinations: [.init(target: "example.com:443", requests: 7, bytes: 2_500)],
            refusals: [.init(rule: "staff only", count: 4)],
            parents: [
                .init(
                    parent: "http://parent:3128", isUp: false, successes: 1, failures: 2, lastError: "refused"
                )
            ],
            tunnels: [
                .init(
                    id: 1, client: "127.0.0.1:50000", user: "alice", target: "example.com:443",
                    engine: "glue",
                    seconds: 61, up: 10, down: 20, rate: 5)
            ])
    }

    @Test("the figures stand in its tables")
    func figures() {
        let html = StatusPage.html(self.report)
        for text in [
            "example.com:443", "staff only", "http://parent:3128", "refused", "alice · 127.0.0.1:50000",
            "up 1 h 2 min", "1.50 MB in all", "999 B in all", "1 min 1 s", "127.0.0.1:3128", "1.2.3",
        ] {
            #expect(html.contains(text), "\(text)")
        }
    }

    @Test("nothing in it comes from elsewhere, nor runs or looks inline")
    func selfContained() {
        let html = StatusPage.html(self.report)
        #expect(!html.contains("http-equiv=\"refresh\" content=\"5; url"))
        for text in ["src=\"http", "href=\"http", "<style", " style=", "onclick", "javascript:"] {
            #expect(!html.contains(text), "\(text)")
        }
    }

    @Test("what clients send is text, never markup, and turns no direction")
    func escaping() {
        var report = self.report
        let hostile = "<script>alert(1)</script>\"'&\u{202E}\n"
        report.tunnels[0].user = hostile
        report.tunnels[0].target = hostile
        report.destinations[0].target = hostile
        report.refusals[0].rule = hostile
        report.parents[0].lastError = hostile
        let html = StatusPage.html(report)
        #expect(!html.contains("<script>alert"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\u{FFFD}\u{FFFD}"))
        #expect(!html.unicodeScalars.contains("\u{202E}"))
    }

    @Test("the report is JSON that reads back as it was")
    func json() throws {
        let read = try JSONDecoder().decode(StatusReport.self, from: Data(self.report.json.utf8))
        #expect(read.json == self.report.json)
        #expect(read.tunnels.first?.user == "alice")
    }
}

@Suite("Samples and figures")
struct StatusSampleTests {
    @Test("a rate is the difference over the time, and never below nothing")
    func rates() {
        var (old, new) = (ProxyTotals(), ProxyTotals())
        (old.bytesUp, new.bytesUp) = (1000, 5000)
        (old.bytesDown, new.bytesDown) = (10, 5)
        (old.tunnelsOpened, new.tunnelsOpened) = (1, 4)
        new.tunnelsOpen = 2
        let sample = StatusSample(at: 7, from: old, to: new, seconds: 2)
        #expect(sample.up == 2000)
        #expect(sample.down == 0)
        #expect(sample.opened == 1.5)
        #expect(sample.open == 2)
        #expect(StatusSample(at: 7, from: old, to: new, seconds: 0).up.isFinite)
    }

    @Test("the history keeps the last five minutes")
    func history() {
        var history = StatusHistory()
        let totals = ProxyTotals()
        for time in 0..<1000 {
            history.append(StatusSample(at: Double(time), from: totals, to: totals, seconds: 1))
        }
        #expect(history.samples.count == StatusHistory.capacity)
        #expect(history.samples.first?.time == 700)
        #expect(history.samples.last?.time == 999)
    }

    @Test(
        "bytes",
        arguments: [
            (0.0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1250, "1.25 kB"), (12_345, "12.3 kB"),
            (123_456, "123 kB"), (5e6, "5 MB"), (2.5e15, "2.50 PB"), (1e20, "100000 PB"),
        ])
    func bytes(value: Double, text: String) {
        #expect(HTMLText.bytes(value) == text)
    }

    @Test(
        "durations",
        arguments: [
            (0.0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (3661, "1 h 1 min"), (90_061, "1 d 1 h"),
            (-5, "0 s"),
            (.infinity, "0 s"), (.nan, "0 s"),
        ])
    func durations(seconds: Double, text: String) {
        #expect(HTMLText.duration(seconds) == text)
    }
}
