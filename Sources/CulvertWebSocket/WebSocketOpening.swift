import CulvertTunnel
import NIOCore
import WebSocketWire

/// A channel on which a client's upgrade is under way.
struct WebSocketOpening: Sendable {
    private let channel: any Channel
    private let opened: EventLoopFuture<WebSocket>

    /// Adds the handler that sends the request. On the channel's event loop.
    static func start(
        _ handshake: ClientHandshake,
        on channel: any Channel,
        route: Route,
        deadline: NIODeadline,
        settings: WebSocketSettings,
        openTimeout: Duration
    ) throws -> WebSocketOpening {
        let promise = channel.eventLoop.makePromise(of: WebSocket.self)
        let handler = WebSocketOpeningHandler(
            handshake, route: route, settings: settings, opened: promise,
            openTimeout: openTimeout, deadline: deadline)
        try channel.pipeline.syncOperations.addHandler(handler)
        return WebSocketOpening(channel: channel, opened: promise.futureResult)
    }

    /// Waits for the server's answer.
    func finish() async throws -> WebSocket {
        try await withTaskCancellationHandler {
            do {
                let socket = try await self.opened.get()
                // Cancelled at the last moment: the channel is being closed.
                try Task.checkCancellation()
                return socket
            } catch {
                if Task.isCancelled { throw CancellationError() }
                throw error
            }
        } onCancel: {
            self.channel.close(promise: nil)
        }
    }
}
