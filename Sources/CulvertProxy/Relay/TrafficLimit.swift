import NIOCore

/// Bounds how fast bytes move, for one tunnel or for many that share it.
///
/// A relay asks after it has read: it owes the time, and reads no more in that direction until it has passed. A
/// token bucket answers with the time in which the debt is filled up again.
protocol TrafficLimit: AnyObject, Sendable {
    /// Takes note of bytes that have moved. Called from any thread.
    ///
    /// - Parameters:
    ///   - bytes: how many, at most 64 KiB in one call.
    ///   - side: who sent them.
    /// - Returns: how long not to read more from that side; zero goes on.
    func spend(_ bytes: Int, from side: RelaySide) -> TimeAmount
}
