import Logging
import WebSocketWire

extension WebSocketClient {
    /// Runs the closure on a WebSocket, and on a new one when that fails or cannot be opened, until the closure
    /// returns.
    ///
    /// ```swift
    /// let retry = WebSocketRetry { $0.onFailure = { print("\($0.error); again in \($0.delay)") } }
    /// try await client.run(to: "wss://example.com/feed", retry: retry) { socket in
    ///     for try await message in socket { print(message) }
    /// }
    /// ```
    ///
    /// The sequence of messages ends without an error also when the server goes away in good order (1001), as it
    /// does when it restarts; a closure that returns then is run again.
    ///
    /// - Parameters:
    ///   - url: a `ws` or `wss` URL.
    ///   - retry: which errors are worth a new connection, and after which delay.
    ///   - clock: measures delays and how long connections lasted.
    ///   - random: numbers from 0 to 1 for the delays' jitter.
    ///   - body: the use of each connection, which is closed when it ends as by ``withConnection(to:_:)-(String,_)``.
    /// - Throws: what is not worth a retry, or came once too often; `CancellationError`.
    public func run<Time: Clock>(
        to url: String,
        retry: WebSocketRetry = WebSocketRetry(),
        clock: Time = ContinuousClock(),
        random: @Sendable () -> Double = { Double.random(in: 0...1) },
        _ body: (WebSocket) async throws -> Void
    ) async throws where Time.Duration == Duration {
        var backoff = Backoff(retry)
        while true {
            var opened: Time.Instant?
            let failure: any Error
            do {
                let end = try await self.withConnection(to: url) { socket in
                    opened = clock.now
                    try await body(socket)
                    return socket.departure
                }
                guard let end else { return }
                failure = WebSocketError.closed(end)
            } catch {
                failure = error
            }
            if let opened { backoff.connectionLasted(opened.duration(to: clock.now)) }
            guard !Task.isCancelled, retry.isWorthRetry(failure),
                let delay = backoff.next(random: random(), asked: (failure as? WebSocketError)?.retryAfter)
            else { throw failure }
            retry.onFailure?(.init(count: backoff.failures, error: failure, delay: delay))
            self.configuration.logger.debug(
                "connecting again",
                metadata: ["error": "\(failure)", "delay": "\(delay)", "failures": "\(backoff.failures)"])
            try await clock.sleep(for: delay)
        }
    }
}
