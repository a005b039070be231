import Testing

@testable import ProxyPolicy

private let second: UInt64 = 1_000_000_000

@Suite("a bucket of tokens, by a clock in the test's hand")
struct TokenBucketTests {
    @Test("so many pass at once, and then one for each part of the period")
    func steps() {
        let rate = TokenBucket.Rate(4, per: second, saving: second)
        var bucket = TokenBucket()
        // (time, how long to wait): nothing is taken where there is a wait.
        let steps: [(UInt64, UInt64)] = [
            (10 * second, 0), (10 * second, 0), (10 * second, 0), (10 * second, 0),
            (10 * second, second / 4), (10 * second, second / 4),
            (10 * second + second / 8, second / 8),
            (10 * second + second / 4, 0), (10 * second + second / 4, second / 4),
            (20 * second, 0), (20 * second, 0), (20 * second, 0), (20 * second, 0), (20 * second, second / 4),
        ]
        for (index, (now, wait)) in steps.enumerated() {
            #expect(bucket.take(rate, at: now) == wait, "step \(index)")
        }
    }

    @Test("bytes go into debt, which is paid by waiting")
    func debt() {
        let rate = TokenBucket.Rate(1000, per: second, saving: second / 4)
        var bucket = TokenBucket()
        #expect(bucket.spend(250, rate, at: second) == 0)
        #expect(bucket.spend(2000, rate, at: second) == 2 * second)
        #expect(bucket.debt(rate, at: 2 * second) == second)
        #expect(bucket.spend(1000, rate, at: 3 * second) == second)
        #expect(bucket.debt(rate, at: 4 * second) == 0)
        #expect(!bucket.isFull(at: 4 * second))
        #expect(bucket.isFull(at: 4 * second + second / 4))
        // Twice as fast, half the wait: the new rate counts for what is spent from now on.
        let faster = TokenBucket.Rate(2000, per: second, saving: 0)
        #expect(bucket.spend(1000, faster, at: 10 * second) == second / 2)
    }

    @Test(
        "no rate loses tokens to rounding", arguments: [3, 7, 999, 1_000_003, 3_000_000_000, 123_456_789_012])
    func rounding(count: Int) {
        let rate = TokenBucket.Rate.bytesPerSecond(count)
        var bucket = TokenBucket()
        let (piece, pieces) = (count / 1000 + 1, 5000)
        for _ in 0..<pieces { _ = bucket.spend(piece, rate, at: second) }
        // The whole in one: the same to the nanosecond.
        var whole = TokenBucket()
        _ = whole.spend(piece * pieces, rate, at: second)
        #expect(bucket.debt(rate, at: second) == whole.debt(rate, at: second))
    }

    @Test("no amount and no clock overflows")
    func extremes() {
        let slowest = TokenBucket.Rate(1, per: 3_600 * second, saving: second)
        var bucket = TokenBucket()
        #expect(bucket.spend(.max, slowest, at: 5) > 0)
        #expect(bucket.spend(.max, slowest, at: 5) > 0)
        #expect(bucket.take(slowest, at: 5) > 0)
        var late = TokenBucket()
        #expect(late.spend(1000, .bytesPerSecond(1), at: .max - 1) == 0)
        var odd = TokenBucket()
        #expect(odd.spend(-1, .bytesPerSecond(1), at: 0) == 0)
        #expect(odd.spend(1, .bytesPerSecond(.max), at: 0) == 0)
        // What the division of a fast rate left over is nothing under a slow one.
        var changed = TokenBucket()
        _ = changed.spend(1, .bytesPerSecond(3_000_000_000), at: 0)
        #expect(changed.spend(1, .bytesPerSecond(1), at: 0) <= second)
    }

    @Test(
        "rates as people write them",
        arguments: [
            ("10", "10/s"), ("10/s", "10/s"), ("600/m", "600/m"), ("1/h", "1/h"),
            ("0/s", nil), ("", nil), ("/s", nil), ("10/", nil), ("10/d", nil), ("-1/s", nil), ("1.5/s", nil),
            ("10/s/s", nil), ("99999999999999999999/s", nil),
        ])
    func rates(text: String, canonical: String?) {
        #expect(RequestRate(text)?.description == canonical)
    }
}
