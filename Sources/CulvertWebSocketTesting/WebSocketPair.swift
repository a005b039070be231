public import CulvertWebSocket
import NIOCore
import NIOEmbedded

/// Two WebSockets that talk with each other in memory: the client's and the server's, with a clock that stands until
/// it is advanced.
public struct WebSocketPair: Sendable {
    /// The client's side.
    public let client: WebSocket
    /// The server's side.
    public let server: WebSocket

    private let eventLoop: NIOAsyncTestingEventLoop
    private let wire: NIOLoopBound<WireEnd>

    init(
        client: WebSocket, server: WebSocket, eventLoop: NIOAsyncTestingEventLoop, wire: NIOLoopBound<WireEnd>
    ) {
        self.client = client
        self.server = server
        self.eventLoop = eventLoop
        self.wire = wire
    }

    /// Lets time pass for both sides: keepalive and close timeouts that are due by then happen.
    public func advance(by duration: Duration) async {
        await self.eventLoop.advanceTime(by: TimeAmount(duration))
    }

    /// Resets the connection, as a network does that fails.
    public func cut() async throws {
        let wire = self.wire
        try await self.eventLoop.submit { wire.value.cut() }.get()
    }
}
