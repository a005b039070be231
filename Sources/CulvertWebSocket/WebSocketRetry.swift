/// When ``WebSocketClient/run(to:retry:clock:random:_:)`` opens a new connection, and after which delay.
///
/// The delay doubles with each failure in a row. Up to half of it is taken off at random, so that the clients of a
/// server that went down do not come back all at once.
public struct WebSocketRetry: Sendable {
    /// After the first failure. 500 ms: a restarted server is back that soon, and a person hardly notices.
    public var initialDelay: Duration = .milliseconds(500)
    /// The longest delay. 60 s: what a client costs a server that is down for hours.
    public var maxDelay: Duration = .seconds(60)
    /// What each failure multiplies the delay by.
    public var multiplier = 2.0
    /// The part of a delay that chance may take off, 0 to 1.
    public var jitter = 0.5
    /// How many failures in a row are borne; the next is thrown. Nil for any number.
    public var maxFailures: Int?
    /// A connection that lasted as long is no failure: the delays start over. 10 s: longer than a server takes to
    /// accept and then drop a client it cannot serve.
    public var resetAfter: Duration = .seconds(10)
    /// Which errors a new connection may help against. By default ``WebSocketError/isTransient`` decides, and other
    /// errors, such as the closure's own, are thrown.
    public var isWorthRetry: @Sendable (any Error) -> Bool = { ($0 as? WebSocketError)?.isTransient ?? false }
    /// Told of every failure before the wait.
    public var onFailure: (@Sendable (Failure) -> Void)?

    /// A connection that could not be opened or did not last.
    public struct Failure: Sendable {
        /// How many in a row, with this one.
        public var count: Int
        /// Why.
        public var error: any Error
        /// How long until the next attempt.
        public var delay: Duration
    }

    /// The defaults.
    public init() {}

    /// The defaults, changed by the closure.
    public init(_ configure: (inout WebSocketRetry) throws -> Void) rethrows {
        try configure(&self)
    }
}
