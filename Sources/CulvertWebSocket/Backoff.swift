/// The delays between the attempts of one ``WebSocketClient/run(to:retry:clock:random:_:)``.
struct Backoff {
    private let retry: WebSocketRetry
    private(set) var failures = 0

    init(_ retry: WebSocketRetry) {
        self.retry = retry
    }

    /// A connection was open for so long before it failed.
    mutating func connectionLasted(_ duration: Duration) {
        if duration >= self.retry.resetAfter { self.failures = 0 }
    }

    /// How long to wait after one more failure; nil when it is one too many.
    ///
    /// - Parameters:
    ///   - random: 0 to 1.
    ///   - asked: what the server asked for (`Retry-After`), which counts up to the longest delay.
    mutating func next(random: Double, asked: Duration? = nil) -> Duration? {
        if let most = self.retry.maxFailures, self.failures >= most { return nil }
        let longest = max(.zero, self.retry.maxDelay)
        let delay = self.bounded(self.exponential * (1 - self.jitter * random), by: longest)
        self.failures += 1
        return max(delay, min(asked ?? .zero, longest))
    }

    private var jitter: Double { min(1, max(0, self.retry.jitter)) }

    /// In seconds; may be infinite.
    private var exponential: Double {
        var delay = self.retry.initialDelay / .seconds(1)
        let longest = self.retry.maxDelay / .seconds(1)
        // Step by step and bounded: a power of a large count would be infinite, and infinity times zero no number.
        for _ in 0..<self.failures where delay < longest { delay *= max(1, self.retry.multiplier) }
        return min(delay, longest)
    }

    private func bounded(_ seconds: Double, by longest: Duration) -> Duration {
        guard seconds > 0 else { return .zero }
        guard seconds < longest / .seconds(1) else { return longest }
        return .milliseconds(Int64((seconds * 1000).rounded()))
    }
}
