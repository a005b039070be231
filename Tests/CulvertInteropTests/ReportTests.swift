import CulvertInterop
import Testing

@Suite("reports")
struct ReportTests {
    static let states: [([Verdict], Matrix.State)] = [
        ([.pass, .pass], .pass),
        ([.pass, .unavailable(.missing, "")], .partial),
        ([.unavailable(.missing, ""), .unavailable(.unreachable, "")], .unavailable),
        ([.unavailable(.unsupported, ""), .fail(.other, "")], .fail),
        ([.pass, .fail(.other, ""), .pass], .fail),
    ]

    @Test("a cell is as bad as its worst check", arguments: states)
    func cellState(verdicts: [Verdict], state: Matrix.State) throws {
        let report = Report.of(verdicts.map { check("a", "b", "culvert", "", $0) })
        let matrix = try #require(report.matrices.first)
        #expect(matrix["a", "b"]?.state == state)
        #expect(matrix["a", "b"]?.results.count == verdicts.count)
        #expect(matrix["b", "a"] == nil)
    }

    @Test("rows and columns stand as declared; what is not declared comes behind and is not lost")
    func strays() {
        var report = Report.of([
            check("new", "text"), check("b", "empty"), check("a", "text", section: "elsewhere"),
        ])
        report.sections = [
            .init(name: "servers", title: "Servers", rows: ["a", "b", "a"], columns: ["text"]),
            .init(name: "proxies", title: "Proxies", rows: ["c"], columns: ["text"]),
        ]
        let matrices = report.matrices
        #expect(matrices.map(\.title) == ["Servers", "Proxies", "elsewhere"])
        #expect(matrices[0].rows == ["a", "b", "new"])
        #expect(matrices[0].columns == ["text", "empty"])
        #expect(matrices.flatMap(\.results).count == report.results.count)
    }

    @Test("the summary counts checks, not cells")
    func summary() {
        #expect(
            "\(Report.mixed.summary)"
                == "5 passed, 3 failed, 7 unavailable (3 missing, 3 unsupported, 1 unreachable)")
        #expect(Report.mixed.summary.total == Report.mixed.results.count)
        #expect("\(Summary())" == "0 passed, 0 failed, 0 unavailable")
    }

    static let outcomes: [([Verdict], Bool, Report.Outcome)] = [
        ([.pass], false, .passed),
        ([.pass, .unavailable(.unsupported, "")], true, .passed),
        ([.pass, .fail(.other, "")], false, .failed),
        ([.fail(.other, ""), .unavailable(.unreachable, "")], false, .failed),
        ([.pass, .unavailable(.missing, "")], false, .passed),
        ([.pass, .unavailable(.missing, "")], true, .failed),
        ([.pass, .unavailable(.unreachable, "")], false, .passed),
        ([.unavailable(.unreachable, ""), .unavailable(.missing, "")], false, .unreachable),
        ([.unavailable(.unsupported, "")], false, .untried),
        ([.unavailable(.missing, "")], false, .untried),
        ([], false, .untried),
        ([], true, .untried),
    ]

    @Test("only a run in which something passed and nothing failed succeeds", arguments: outcomes)
    func outcome(verdicts: [Verdict], requiresPeers: Bool, outcome: Report.Outcome) {
        let report = Report.of(
            verdicts.map { check("a", "b", "culvert", "", $0) }, requiresPeers: requiresPeers)
        #expect(report.outcome == outcome)
        #expect((report.outcome.exitStatus == 0) == (outcome == .passed))
    }

    @Test("each outcome has an exit status of its own")
    func exitStatus() {
        #expect(Set(Report.Outcome.allCases.map(\.exitStatus)).count == Report.Outcome.allCases.count)
    }

    @Test("what the counts do not tell is said")
    func remark() {
        #expect(Report.of([check("a", "b")]).remark == nil)
        #expect(Report.empty.remark == "no check was run")
        #expect(Report.of([check("a", "b", "", "", .unavailable(.missing, ""))]).remark == "nothing passed")
        let demanding = Report.of(
            [check("a", "b"), check("a", "c", "", "", .unavailable(.missing, ""))], requiresPeers: true)
        #expect(demanding.remark?.contains("all are required") == true)
    }
}
