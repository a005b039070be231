import CulvertInterop
import Testing

@Suite("findings of a report")
struct FindingReportTests {
    private let failure = Verdict.fail(.timedOut, "10 s")
    private let reason = Verdict.unavailable(.unsupported, "cannot")

    @Test("a reason that many rows share is told once")
    func sharedReason() {
        let report = Report.of(
            ["a", "b"].flatMap { row in
                [
                    check(row, "text"), check(row, "compression", "culvert", "ws", self.reason),
                    check(row, "compression", "libcurl", "ws", self.reason),
                ]
            })
        let findings = report.unavailabilities
        #expect(findings.count == 1)
        #expect(findings.first?.rows == ["a", "b"])
        #expect(findings.first?.columns == ["compression"])
        #expect(findings.first?.runners == [])
        #expect(findings.first?.count == 4)
        #expect(report.failures.isEmpty)
    }

    @Test("a row that has nothing else names no columns")
    func wholeRow() {
        let report = Report.of([
            check("a", "text", "culvert", "", self.reason), check("a", "binary", "culvert", "", self.reason),
            check("b", "text"),
        ])
        #expect(report.unavailabilities.map(\.columns) == [[]])
        #expect(report.unavailabilities.map(\.rows) == [["a"]])
    }

    @Test("a finding claims no place where it was not met")
    func exactPlaces() {
        let report = Report.of([
            check("a", "text", "culvert", "", self.failure), check("a", "text", "libcurl"),
            check("a", "binary", "culvert"), check("a", "binary", "libcurl", "", self.failure),
            check("b", "text", "culvert", "", self.failure), check("b", "text", "libcurl"),
            check("b", "binary", "culvert", "", self.failure), check("b", "binary", "libcurl"),
        ])
        var places: Set<[String]> = []
        for finding in report.failures {
            for row in finding.rows {
                for column in finding.columns.isEmpty ? ["text", "binary"] : finding.columns {
                    for runner in finding.runners { places.insert([row, column, "\(runner)"]) }
                }
            }
        }
        let failed = report.results.filter { $0.verdict == self.failure }
        #expect(places == Set(failed.map { [$0.row, $0.column, "\($0.runner)"] }))
        #expect(report.failures.reduce(0) { $0 + $1.count } == failed.count)
    }

    @Test("every failure and every reason of a report is in a finding")
    func complete() {
        let report = Report.mixed
        #expect(report.failures.reduce(0) { $0 + $1.count } == report.summary.failed)
        #expect(report.unavailabilities.reduce(0) { $0 + $1.count } == report.summary.unavailable)
    }

    @Test("clients are named once, with their variants")
    func runners() {
        let report = Report.of([
            check("a", "text", "libcurl", "ws", self.failure),
            check("a", "text", "libcurl", "wss", self.failure),
            check("a", "text", "libcurl ws", "wss", self.failure),
            check("a", "text", "curl", "", self.failure),
            check("a", "text", "culvert", "ws"),
        ])
        #expect(report.failures.map(\.runners.text) == ["libcurl (ws, wss), libcurl ws (wss), curl"])
    }
}
