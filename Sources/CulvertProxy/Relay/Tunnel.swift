import NIOCore

/// An open tunnel on its way to a relay: both channels, and every byte that was read from them or is owed to them.
///
/// Both channels live on one event loop, and have no handler left that wants their bytes but the one that hands the
/// tunnel over, which passes on what it still gets.
struct Tunnel {
    let client: any Channel
    let origin: any Channel
    /// The proxy's own answer, which goes to the client before any byte of the origin. It is not counted.
    var response = ByteBuffer()
    /// What the client sent before the tunnel stood.
    var early = ByteBuffer()
    /// The client's FIN came before the tunnel stood.
    var clientHasFinished = false
    /// Ends the tunnel when no byte moved either way for so long.
    var idleTimeout: TimeAmount
    /// How fast its bytes may move.
    var limit: (any TrafficLimit)?
    /// Kept until both directions have ended.
    var permit: ClientPermit?
}
