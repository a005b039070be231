import CulvertTunnel
public import NIOCore

/// An address that a ``WebSocketServer`` cannot listen on.
public struct WebSocketListenError: Error, CustomStringConvertible {
    /// The address.
    public let address: SocketAddress
    /// The system's error.
    public let underlying: any Error

    /// The address and the system's words.
    public var description: String {
        "cannot listen on \(self.address): \(plainDescription(of: self.underlying))"
    }
}
