import Testing

@testable import CulvertWebSocket

@Suite("The delays between attempts")
struct BackoffTests {
    private let retry = WebSocketRetry {
        $0.initialDelay = .seconds(1)
        $0.maxDelay = .seconds(10)
        $0.jitter = 0.5
    }

    @Test(
        "they double up to the longest, and chance takes a part off",
        arguments: [
            (0.0, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]),
            (1.0, [500, 1_000, 2_000, 4_000, 5_000, 5_000]),
            (0.5, [750, 1_500, 3_000, 6_000, 7_500, 7_500]),
        ])
    func growth(random: Double, milliseconds: [Int]) {
        var backoff = Backoff(self.retry)
        for delay in milliseconds { #expect(backoff.next(random: random) == .milliseconds(delay)) }
        #expect(backoff.failures == milliseconds.count)
    }

    @Test("a connection that lasted starts them over, one that did not goes on")
    func reset() {
        var backoff = Backoff(self.retry)
        for _ in 0..<3 { _ = backoff.next(random: 0) }
        backoff.connectionLasted(.seconds(9))
        #expect(backoff.next(random: 0) == .seconds(8))
        backoff.connectionLasted(.seconds(10))
        #expect(backoff.next(random: 0) == .seconds(1))
    }

    @Test("the server's wish counts up to the longest delay")
    func asked() {
        var backoff = Backoff(self.retry)
        #expect(backoff.next(random: 0, asked: .seconds(7)) == .seconds(7))
        #expect(backoff.next(random: 0, asked: .seconds(7000)) == .seconds(10))
        #expect(backoff.next(random: 0, asked: .milliseconds(1)) == .seconds(4))
    }

    @Test("so many failures and no more")
    func most() {
        var retry = self.retry
        retry.maxFailures = 2
        var backoff = Backoff(retry)
        #expect(backoff.next(random: 0) != nil)
        #expect(backoff.next(random: 0) != nil)
        #expect(backoff.next(random: 0) == nil)
    }

    @Test("settings without sense make no sense of a delay either, and nothing crashes")
    func extremes() {
        for initial in [Duration.seconds(-5), .zero, .seconds(Int64.max / 2)] {
            for multiplier in [-1, 0, 1e300, .infinity, .nan] {
                var backoff = Backoff(
                    WebSocketRetry {
                        $0.initialDelay = initial
                        $0.multiplier = multiplier
                        $0.jitter = 7
                    })
                for _ in 0..<100 {
                    let delay = backoff.next(random: 0.3) ?? .seconds(-1)
                    #expect(delay >= .zero && delay <= .seconds(60))
                }
            }
        }
    }
}
