import Foundation

/// A report as JUnit XML, as CI systems read it (the schema of Jenkins' xUnit plugin): a suite for each section, a
/// case for each check.
///
/// A check that could not be tried is skipped; where peers are required, a missing one is an error.
package struct JUnitReport: Sendable {
    private let report: Report

    package init(_ report: Report) {
        self.report = report
    }

    package var text: String {
        let suites = self.report.matrices.map { Suite($0, of: self.report) }
        let document: Markup = """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="culvert interop" tests="\(suites.reduce(0) { $0 + $1.summary.total })" \
            failures="\(suites.reduce(0) { $0 + $1.summary.failed })" \
            errors="\(suites.reduce(0) { $0 + $1.errors })" time="\(self.report.duration.seconds)">
            \(suites.map(\.markup))
            </testsuites>

            """
        return document.source
    }
}

private struct Suite {
    let summary: Summary
    let errors: Int

    private let matrix: Matrix
    private let report: Report

    init(_ matrix: Matrix, of report: Report) {
        self.summary = Summary(matrix.results)
        self.errors = report.requiresPeers ? self.summary.missing : 0
        self.matrix = matrix
        self.report = report
    }

    var markup: Markup {
        let time = self.matrix.results.reduce(Duration.zero) { $0 + $1.duration }
        return """
            <testsuite name="\(self.matrix.title)" tests="\(self.summary.total)" \
            failures="\(self.summary.failed)" errors="\(self.errors)" \
            skipped="\(self.summary.unavailable - self.errors)" time="\(time.seconds)" \
            timestamp="\(self.report.date.ISO8601Format())">
            <properties>
            \(self.properties)
            </properties>
            \(self.matrix.results.map(self.testCase))
            </testsuite>
            """
    }

    /// The system, the command, and the versions of those who took part in this section.
    private var properties: [Markup] {
        let rows = Set(self.matrix.rows)
        let parts = self.report.parts.filter {
            $0.kind == .own || $0.kind == .library || rows.contains($0.title)
        }
        let facts = [("system", self.report.system), ("command", self.report.command)]
        return (facts + parts.map { ("version.\($0.name)", $0.version ?? "missing") }).map { name, value in
            "<property name=\"\(name)\" value=\"\(value)\"/>"
        }
    }

    private func testCase(_ result: CheckResult) -> Markup {
        let head: Markup = """
            <testcase classname="\(self.className(result))" name="\(result.column) \(result.runner.description)" \
            time="\(result.duration.seconds)"
            """
        guard let reason = result.verdict.reason else { return "\(head)/>" }
        return "\(head)>\(self.outcome(result.verdict, reason))</testcase>"
    }

    private func outcome(_ verdict: Verdict, _ reason: String) -> Markup {
        switch verdict {
        case .pass: ""
        case .fail(let cause, let detail):
            "<failure type=\"\(cause.description)\" message=\"\(reason)\">\(detail)</failure>"
        case .unavailable(.missing, _) where self.report.requiresPeers:
            "<error type=\"missing\" message=\"\(reason)\"/>"
        case .unavailable(let kind, _): "<skipped type=\"\(kind.rawValue)\" message=\"\(reason)\"/>"
        }
    }

    /// Readers take the last dot for the end of the package: one in a name (`proxy.py`) would tear it apart.
    private func className(_ result: CheckResult) -> String {
        [result.section, result.row].map { $0.replacing(".", with: "_") }.joined(separator: ".")
    }
}
