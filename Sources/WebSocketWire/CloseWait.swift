/// Decides how long to wait for the peer's answer to a close frame: one timeout, which counts only while nothing of
/// what goes before the answer moves. A peer that still takes bytes is alive.
package struct CloseWait: Sendable {
    /// What had not arrived when the timer was set.
    private var unsentBytes: Int

    /// What is to be done when the timer fires.
    package enum Action: Sendable, Hashable {
        /// Set the timer again, for the whole timeout.
        case waitAgain
        /// The peer takes nothing and says nothing: cut the connection.
        case cut
    }

    /// - Parameter unsentBytes: what has not arrived, the close frame included.
    package init(unsentBytes: Int) {
        self.unsentBytes = unsentBytes
    }

    package mutating func timerFired(unsentBytes: Int) -> Action {
        defer { self.unsentBytes = unsentBytes }
        return unsentBytes < self.unsentBytes ? .waitAgain : .cut
    }
}
