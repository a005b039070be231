import NIOCore

/// Moves the bytes of open tunnels until both directions have ended.
///
/// - A FIN passes per direction: the other direction goes on until its own.
/// - A reset passes as a reset.
/// - One idle clock runs over both directions.
/// - A side that takes no more bytes stops the reading of the other: what is in memory is bounded.
protocol RelayEngine: Sendable {
    /// What metrics call it.
    var name: String { get }
    /// Whether it closes a tunnel's channels and goes on without them.
    var leavesChannels: Bool { get }

    /// Takes the tunnel over, on the event loop of its channels.
    ///
    /// - Parameter open: makes the tunnel's record, once it is taken; the engine ends it when both connections are
    ///   closed.
    /// - Returns: false when it is no tunnel for this engine; then nothing has happened to it.
    func take(_ tunnel: Tunnel, _ open: () -> TunnelRecord) throws -> Bool
}
