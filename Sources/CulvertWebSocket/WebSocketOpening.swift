import CulvertTunnel
import HTTPTypes
import HTTPWire
import NIOCore
import WebSocketWire

/// What the server agreed to.
struct WebSocketAgreement: Sendable {
    var response: HTTPResponse
    var subprotocol: String?
    var compression: WebSocketDeflateParameters?
}

/// A channel on which the upgrade is under way.
struct WebSocketOpening: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<WebSocketHandler>
    private let queue: MessageQueue
    private let agreement: EventLoopFuture<WebSocketAgreement>
    private let route: Route
    private let closeTimeout: TimeAmount

    /// Adds the handlers and sends the request. On the channel's event loop.
    static func start(
        _ handshake: ClientHandshake,
        on channel: any Channel,
        route: Route,
        deadline: NIODeadline,
        configuration: WebSocketClient.Configuration
    ) throws -> WebSocketOpening {
        let marks = configuration.outboundWatermarks
        try channel.syncOptions?.setOption(
            .writeBufferWaterMark,
            value: .init(low: max(1, min(marks.low, marks.high)), high: max(1, marks.high)))
        let queue = MessageQueue(watermarks: configuration.inboundWatermarks)
        let promise = channel.eventLoop.makePromise(of: WebSocketAgreement.self)
        let handler = WebSocketHandler(
            handshake, limits: configuration.limits, queue: queue, opened: promise,
            openTimeout: configuration.openTimeout, deadline: deadline)
        try channel.pipeline.syncOperations.addHandler(handler)
        return WebSocketOpening(
            channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop), queue: queue,
            agreement: promise.futureResult, route: route,
            closeTimeout: TimeAmount(configuration.closeTimeout))
    }

    /// Waits for the server's answer.
    func finish() async throws -> WebSocket {
        let agreement = try await withTaskCancellationHandler {
            do {
                return try await self.agreement.get()
            } catch {
                if Task.isCancelled { throw CancellationError() }
                throw error
            }
        } onCancel: {
            self.channel.close(promise: nil)
        }
        return WebSocket(
            channel: self.channel, handler: self.handler, queue: self.queue, agreement: agreement,
            route: self.route, closeTimeout: self.closeTimeout)
    }
}
