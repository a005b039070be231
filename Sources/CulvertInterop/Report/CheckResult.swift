/// How one check came out.
package enum Verdict: Sendable, Hashable {
    case pass
    /// It did not do what it should; the text says what it did.
    case fail(Cause, String)
    /// It could not be tried, and nothing is said of either side; the text says why.
    case unavailable(Unavailability, String)
}

/// Why a check could not be tried.
package enum Unavailability: String, Sendable, Hashable, Codable, CaseIterable {
    /// A peer is not installed.
    case missing
    /// One of the two sides does not have the feature, by its own account.
    case unsupported
    /// A public server did not answer, or the network is down.
    case unreachable
}

/// One check of one client along one route.
package struct CheckResult: Sendable, Hashable {
    /// The matrix it stands in, and its place there.
    package var section: String
    package var row: String
    package var column: String
    /// Who ran it: `culvert`, `libcurl`, …
    package var client: String
    /// What tells it from others of the same place: `ws`, `wss`; empty where there is one.
    package var variant: String
    package var verdict: Verdict
    package var duration: Duration
    /// What went wrong the first time, where this is the second. Peers under load, and Squid while it looks up the same
    /// user's other password, do not always do the same.
    package var firstFailure: String?

    package init(
        section: String, row: String, column: String, client: String, variant: String = "", verdict: Verdict,
        duration: Duration
    ) {
        self.section = section
        self.row = row
        self.column = column
        self.client = client
        self.variant = variant
        self.verdict = verdict
        self.duration = duration
    }
}
