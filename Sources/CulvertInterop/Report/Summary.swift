/// How many checks came out how.
package struct Summary: Sendable, Hashable {
    package private(set) var passed = 0
    package private(set) var failed = 0
    package private(set) var missing = 0
    package private(set) var unsupported = 0
    package private(set) var unreachable = 0
    /// Passed only when they were tried again.
    package private(set) var passedLater = 0

    package var unavailable: Int { self.missing + self.unsupported + self.unreachable }
    package var total: Int { self.passed + self.failed + self.unavailable }

    package init(_ results: [CheckResult] = []) {
        for result in results {
            self.count(result.verdict)
            if result.verdict == .pass, result.firstFailure != nil { self.passedLater += 1 }
        }
    }

    package mutating func count(_ verdict: Verdict) {
        switch verdict {
        case .pass: self.passed += 1
        case .fail: self.failed += 1
        case .unavailable(.missing, _): self.missing += 1
        case .unavailable(.unsupported, _): self.unsupported += 1
        case .unavailable(.unreachable, _): self.unreachable += 1
        }
    }
}

extension Summary: CustomStringConvertible {
    /// `57 passed, 1 failed, 3 unavailable (2 missing, 1 unsupported, 0 unreachable)`
    package var description: String {
        let later = self.passedLater > 0 ? " (\(self.passedLater) at the second attempt)" : ""
        let counts =
            "\(self.passed) passed\(later), \(self.failed) failed, \(self.unavailable) unavailable"
        if self.unavailable == 0 { return counts }
        return counts
            + " (\(self.missing) missing, \(self.unsupported) unsupported, \(self.unreachable) unreachable)"
    }
}

extension Report {
    package var summary: Summary { Summary(self.results) }

    /// What the run as a whole came to.
    package enum Outcome: String, Sendable, CaseIterable {
        /// Something passed and nothing failed.
        case passed
        /// A check failed, or a peer is missing and peers are required.
        case failed
        /// Nothing passed, nothing failed, and at least one target did not answer.
        case unreachable
        /// Nothing passed and nothing failed: peers are missing, or there was no check at all.
        case untried

        /// The exit status of the command. Only a run in which something passed ends with 0; 3 is the command's
        /// status for an address where nothing answers, 69 is EX_UNAVAILABLE.
        package var exitStatus: Int32 {
            switch self {
            case .passed: 0
            case .failed: 1
            case .unreachable: 3
            case .untried: 69
            }
        }
    }

    package var outcome: Outcome {
        let summary = self.summary
        if summary.failed > 0 || (self.requiresPeers && summary.missing > 0) { return .failed }
        if summary.passed > 0 { return .passed }
        return summary.unreachable > 0 ? .unreachable : .untried
    }

    /// What the counts alone do not tell of the outcome; nil when they do.
    package var remark: String? {
        let summary = self.summary
        if self.requiresPeers, summary.missing > 0 {
            return "the run failed for peers that are missing: all are required"
        }
        if summary.total == 0 { return "no check was run" }
        return summary.passed == 0 ? "nothing passed" : nil
    }
}
