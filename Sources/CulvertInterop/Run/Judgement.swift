/// What an outcome is worth: what should succeed has to; what should fail has to fail for the right reason, which is
/// the one that the client before names as well.
struct Judgement {
    private let item: Plan.Item
    /// Why the client that this one is held against failed.
    private let oracle: Cause?
    private let isOracle: Bool

    init(_ item: Plan.Item, oracle: Cause?, isOracle: Bool) {
        self.item = item
        self.oracle = oracle
        self.isOracle = isOracle
    }

    func verdict(_ outcome: Outcome) -> Verdict {
        switch outcome {
        case .unavailable(let kind, let reason): return .unavailable(kind, reason)
        case .succeeded: return .pass
        case .failed(let failure):
            guard case .refuse(let obstacle) = self.item.check.action, failure.cause != .mismatch else {
                return .fail(failure.cause, failure.detail)
            }
            return self.verdict(failure, obstacle)
        }
    }

    private func verdict(_ failure: InteropFailure, _ obstacle: CheckRecipe.Obstacle) -> Verdict {
        let expected = self.expected(obstacle)
        // A cause that says nothing is no agreement, even when both say it.
        let isTold = failure.cause != .timedOut && failure.cause != .other
        // Some proxies accept first and fail later: the oracle finds out which cause is the right one.
        if self.isOracle, isTold { return .pass }
        if let oracle, isTold, oracle.isSame(as: failure.cause) { return .pass }
        if self.oracle == nil, expected.isSame(as: failure.cause) { return .pass }
        let wanted = self.oracle.map { "\($0), as libcurl says" } ?? "\(expected)"
        return .fail(failure.cause, "expected \(wanted); got \(failure.detail)")
    }

    private func expected(_ obstacle: CheckRecipe.Obstacle) -> Cause {
        switch obstacle {
        case .otherAuthority, .wrongName, .expired: .tlsFailed
        case .closedPort: self.item.route.hops.isEmpty ? .connectFailed : .proxyRefused(status: nil)
        case .unknownName: self.item.route.hops.isEmpty ? .nameNotResolved : .proxyRefused(status: nil)
        case .notFound: .upgradeRefused(status: 404)
        case .wrongPassword, .noPassword: .proxyAuthentication
        }
    }
}

extension Cause {
    /// A refusal whose status one side does not know equals one of any status. A proxy in front of another says 500 of
    /// its failure once, and 502 the next time: the class of the status is the cause.
    func isSame(as other: Cause) -> Bool {
        switch (self, other) {
        case (.proxyRefused(let mine?), .proxyRefused(let theirs?)): mine / 100 == theirs / 100
        case (.proxyRefused, .proxyRefused): true
        default: self == other
        }
    }
}
