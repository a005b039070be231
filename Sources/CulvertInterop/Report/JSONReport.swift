package import Foundation

/// A report as one JSON object, for programs. Keys are sorted; a field that has nothing to tell is left out.
///
/// ```
/// {
///   "command": "culvert interop",
///   "date": "2031-04-05T06:07:08Z",               // ISO 8601, UTC
///   "durationMilliseconds": 73042.5,
///   "outcome": "passed",                          // passed, failed, unreachable, untried
///   "parts": [{"kind": "server", "name": "tornado", "title": "Tornado", "version": "6.4.1"}],
///             // kind: own, library, server, proxy, client, target; no version: it is missing
///   "requiresPeers": false,
///   "results": [{
///     "cause": "mismatch",                        // of a failure, in words
///     "client": "culvert",
///     "column": "text",
///     "detail": "…",                              // of all but a pass at the first attempt
///     "durationMilliseconds": 12.25,
///     "reason": "missing",                        // when unavailable: missing, unsupported, unreachable
///     "row": "Tornado",
///     "section": "servers",
///     "variant": "wss",                           // empty where there is one
///     "verdict": "fail"                           // pass, fail, unavailable
///   }],
///   "schema": 1,
///   "sections": [{"columns": ["text"], "name": "servers", "rows": ["Tornado"], "title": "Servers"}],
///   "summary": {"failed": 1, "missing": 0, "passed": 57, "unreachable": 0, "unsupported": 3},
///   "system": "Linux 6.1 x86_64"
/// }
/// ```
///
/// `schema` grows when a field changes its meaning or goes; new fields may come without.
package struct JSONReport: Sendable {
    private let report: Report

    package init(_ report: Report) {
        self.report = report
    }

    /// UTF-8, with a line feed at the end.
    ///
    /// - Throws: `EncodingError`, which no report is known to cause.
    package func data() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return try encoder.encode(Document(self.report)) + Data("\n".utf8)
    }
}

private struct Document: Encodable {
    var schema = 1
    var command: String
    var date: Date
    var durationMilliseconds: Double
    var outcome: String
    var parts: [Part]
    var requiresPeers: Bool
    var results: [Result]
    var sections: [Section]
    var summary: Counts
    var system: String

    init(_ report: Report) {
        self.command = report.command
        self.date = report.date
        self.durationMilliseconds = report.duration.milliseconds
        self.outcome = report.outcome.rawValue
        self.parts = report.parts.map {
            Part(kind: $0.kind.rawValue, name: $0.name, title: $0.title, version: $0.version)
        }
        self.requiresPeers = report.requiresPeers
        self.results = report.results.map(Result.init)
        self.sections = report.matrices.map {
            Section(columns: $0.columns, name: $0.name, rows: $0.rows, title: $0.title)
        }
        self.summary = Counts(report.summary)
        self.system = report.system
    }

    struct Part: Encodable {
        var kind: String
        var name: String
        var title: String
        var version: String?
    }

    struct Section: Encodable {
        var columns: [String]
        var name: String
        var rows: [String]
        var title: String
    }

    struct Counts: Encodable {
        var failed: Int
        var missing: Int
        var passed: Int
        var unreachable: Int
        var unsupported: Int

        init(_ summary: Summary) {
            self.failed = summary.failed
            self.missing = summary.missing
            self.passed = summary.passed
            self.unreachable = summary.unreachable
            self.unsupported = summary.unsupported
        }
    }

    struct Result: Encodable {
        var cause: String?
        var client: String
        var column: String
        var detail: String?
        var durationMilliseconds: Double
        var reason: String?
        var row: String
        var section: String
        var variant: String
        var verdict: String

        init(_ result: CheckResult) {
            self.client = result.client
            self.column = result.column
            self.durationMilliseconds = result.duration.milliseconds
            self.row = result.row
            self.section = result.section
            self.variant = result.variant
            switch result.verdict {
            case .pass:
                self.verdict = "pass"
                self.detail = result.firstFailure.map { "at the second attempt; first: \($0)" }
            case .fail(let cause, let detail):
                self.verdict = "fail"
                self.cause = cause.description
                self.detail = detail
            case .unavailable(let kind, let detail):
                self.verdict = "unavailable"
                self.reason = kind.rawValue
                self.detail = detail
            }
        }
    }
}
