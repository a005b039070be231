import CulvertTunnel
import Logging
import NIOCore
import NIOHTTP2

/// Behind a connection's HTTP/2 frames: lets it end when it has no streams for a while, and when the proxy stops.
final class HTTP2ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let core: ProxyCore
    private let client: ConnectedClient
    private var openStreams = 0
    private var isGoingAway = false
    private var timer: DeadlineTimer?

    /// GOAWAY is out and no stream is open: some round trips for a client that had just opened one.
    private static let goodbyeTime = TimeAmount.seconds(5)

    init(_ core: ProxyCore, client: ConnectedClient) {
        self.core = core
        self.client = client
    }

    // MARK: Its streams

    func streamOpened() {
        self.openStreams += 1
        self.timer?.clear()
    }

    func streamClosed() {
        self.openStreams -= 1
        if self.openStreams == 0 { self.wait(self.core.configuration.forwarding.keepAliveTimeout) }
    }

    private func wait(_ time: Duration) {
        self.timer?.set(in: self.isGoingAway ? Self.goodbyeTime : TimeAmount(time))
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        self.timer = DeadlineTimer(on: context.eventLoop) {
            let (handler, context) = bound.value
            if handler.isGoingAway { context.close(promise: nil) } else { handler.goAway(context: context) }
        }
        self.wait(self.core.configuration.headTimeout)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.timer?.invalidate()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case DrainEvent.begin: self.goAway(context: context)
        // The streams hear it themselves; what is left then is an empty connection.
        case DrainEvent.deadline where self.openStreams == 0: context.close(promise: nil)
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // One stream's, which knows.
        if error is NIOHTTP2Errors.StreamError { return }
        self.core.logger.info(
            "HTTP/2 connection failed",
            metadata: ["client": "\(self.client.description)", "error": "\(error)"])
        context.close(promise: nil)
    }

    private func goAway(context: ChannelHandlerContext) {
        guard !self.isGoingAway else { return }
        self.isGoingAway = true
        context.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        if self.openStreams == 0 { self.timer?.set(in: Self.goodbyeTime) }
    }
}
