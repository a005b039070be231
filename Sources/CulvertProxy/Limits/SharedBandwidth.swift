import NIOCore
import ProxyPolicy

/// The bandwidth of a client and a user, which all their tunnels and requests share.
final class SharedBandwidth: TrafficLimit {
    private let limiter: Limiter
    private let shares: [(seat: LimitedParty, rate: TokenBucket.Rate)]

    /// Nil when none of them has a limit.
    init?(_ limiter: Limiter, _ seats: [LimitedParty], under limits: ProxyLimits) {
        self.limiter = limiter
        self.shares = seats.compactMap { seat in
            limits.share(of: seat).bandwidth.map { (seat, .bytesPerSecond($0)) }
        }
        if self.shares.isEmpty { return nil }
    }

    /// An hour, so that no sum with it overflows.
    private static let longestWait: UInt64 = 3_600_000_000_000

    func spend(_ bytes: Int, from side: RelaySide) -> TimeAmount {
        let direction: LimitLedger.Direction = side == .client ? .up : .down
        let wait = self.limiter.withLedger { ledger, now in
            self.shares.reduce(0) {
                max($0, ledger.spend(bytes, direction, by: $1.seat, at: $1.rate, now: now))
            }
        }
        return .nanoseconds(Int64(min(wait, Self.longestWait)))
    }

    /// How long what was spent before is still to be waited for, and by whose limit.
    var debt: (wait: TimeAmount, excess: LimitExcess)? {
        self.limiter.withLedger { ledger, now in
            let debts = self.shares.map { ($0.seat, ledger.debt(of: $0.seat, at: $0.rate, now: now)) }
            guard let (seat, wait) = debts.max(by: { $0.1 < $1.1 }), wait > 0 else { return nil }
            let limit: LimitExcess.Limit = seat.isUser ? .userBandwidth : .clientBandwidth
            return (.nanoseconds(Int64(clamping: wait)), LimitExcess(limit, wait: wait))
        }
    }
}
