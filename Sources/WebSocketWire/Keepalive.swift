/// Decides when to ping a peer that says nothing, and when to give it up.
///
/// Anything that comes is a sign of life, the middle of a frame too. Instants are durations since any fixed one.
package struct Keepalive: Sendable {
    private let interval: Duration
    private let timeout: Duration
    private var lastSign: Duration
    /// When the ping went out that nothing was heard of since.
    private var pinged: Duration?

    /// What is to be done when the timer fires.
    package enum Action: Sendable, Hashable {
        /// Nothing until then.
        case wait(until: Duration)
        /// Send a ping; look again then.
        case ping(lookAgainAt: Duration)
        /// The ping was not answered in time.
        case giveUp
    }

    /// - Parameters:
    ///   - interval: how long the peer may say nothing before it is pinged.
    ///   - timeout: how long it may then go on saying nothing.
    package init(interval: Duration, timeout: Duration, now: Duration) {
        self.interval = max(interval, .milliseconds(1))
        self.timeout = max(timeout, .milliseconds(1))
        self.lastSign = now
    }

    /// When the timer is to fire first.
    package var firstLook: Duration { lastSign + interval }

    /// Something came from the peer, or it is our fault that nothing could.
    package mutating func heard(at now: Duration) {
        lastSign = now
        pinged = nil
    }

    package mutating func timerFired(at now: Duration) -> Action {
        if let pinged {
            return now - pinged >= timeout ? .giveUp : .wait(until: pinged + timeout)
        }
        guard now - lastSign >= interval else { return .wait(until: lastSign + interval) }
        pinged = now
        return .ping(lookAgainAt: now + timeout)
    }
}
