/// Tokens that come in at a steady rate and are saved up to a bound: how requests and bytes are limited.
///
/// All that is kept is when the bucket will be full again, so a new rate counts from the next call on. Times are
/// nanoseconds of a clock that never goes back.
package struct TokenBucket: Sendable, Hashable {
    /// How fast tokens come in, and how many an idle bucket holds.
    package struct Rate: Sendable, Hashable {
        fileprivate let count: UInt64
        fileprivate let period: UInt64
        fileprivate let saved: UInt64

        /// - Parameters:
        ///   - count: tokens in one period.
        ///   - period: in nanoseconds.
        ///   - saved: for how long tokens are saved up, in nanoseconds.
        package init(_ count: UInt64, per period: UInt64, saving saved: UInt64) {
            self.count = max(1, count)
            self.period = period
            self.saved = saved
        }

        /// Bytes, of which a quarter of a second's worth is saved up: enough for a page, too little to be felt by others.
        package static func bytesPerSecond(_ count: Int) -> Rate {
            Rate(UInt64(clamping: count), per: 1_000_000_000, saving: 250_000_000)
        }
    }

    private var fullAt: UInt64 = 0
    /// What division left over, so that no rate loses tokens to rounding: in token-nanoseconds, less than the count.
    private var remainder: UInt64 = 0

    package init() {}

    /// Whether it holds all it can: as good as new.
    package func isFull(at now: UInt64) -> Bool { self.fullAt <= now }

    /// Takes one token.
    ///
    /// - Returns: zero when there was one; else how long until there is, and nothing was taken.
    package mutating func take(_ rate: Rate, at now: UInt64) -> UInt64 {
        var next = self
        next.add(1, rate, at: now)
        let wait = next.debt(rate, at: now)
        if wait == 0 { self = next }
        return wait
    }

    /// Takes tokens that are already spent, and goes into debt for what is not there.
    ///
    /// - Returns: how long until the debt is paid, in nanoseconds; zero without one.
    package mutating func spend(_ count: Int, _ rate: Rate, at now: UInt64) -> UInt64 {
        self.add(UInt64(clamping: count), rate, at: now)
        return self.debt(rate, at: now)
    }

    /// How long until a debt is paid, in nanoseconds.
    package func debt(_ rate: Rate, at now: UInt64) -> UInt64 {
        let (ahead, isFull) = self.fullAt.subtractingReportingOverflow(now)
        return isFull || ahead <= rate.saved ? 0 : ahead - rate.saved
    }

    private mutating func add(_ count: UInt64, _ rate: Rate, at now: UInt64) {
        if self.fullAt <= now { (self.fullAt, self.remainder) = (now, 0) }
        var product = count.multipliedFullWidth(by: rate.period)
        // Of another rate it may be more than this one's count.
        let (low, carries) = product.low.addingReportingOverflow(min(self.remainder, rate.count - 1))
        product = (product.high + (carries ? 1 : 0), low)
        guard product.high < rate.count else {
            self.fullAt = .max
            return
        }
        let (time, remainder) = rate.count.dividingFullWidth(product)
        let (sum, overflows) = self.fullAt.addingReportingOverflow(time)
        (self.fullAt, self.remainder) = (overflows ? .max : sum, remainder)
    }
}
