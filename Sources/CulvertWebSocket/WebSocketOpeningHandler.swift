import CulvertTunnel
import NIOCore
import WebSocketWire

/// Performs what the ``ClientHandshake`` asks for, then leaves the channel to the WebSocket's handler.
final class WebSocketOpeningHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var handshake: ClientHandshake
    private let route: Route
    private let settings: WebSocketSettings
    private let opened: EventLoopPromise<WebSocket>
    private let openTimeout: Duration
    private let deadline: NIODeadline
    private var deadlineTask: Scheduled<Void>?
    /// The promise is kept.
    private var isOver = false

    init(
        _ handshake: ClientHandshake,
        route: Route,
        settings: WebSocketSettings,
        opened: EventLoopPromise<WebSocket>,
        openTimeout: Duration,
        deadline: NIODeadline
    ) {
        self.handshake = handshake
        self.route = route
        self.settings = settings
        self.opened = opened
        self.openTimeout = openTimeout
        self.deadline = deadline
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        self.deadlineTask = context.eventLoop.scheduleTask(deadline: self.deadline) {
            let (handler, context) = bound.value
            handler.fail(.upgradeTimedOut(after: handler.openTimeout), context: context)
        }
        context.writeAndFlush(Self.wrapOutboundOut(self.handshake.request()), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isOver else { return }
        self.perform(self.handshake.receive(Self.unwrapInboundIn(data)), context: context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { self.inputEnded(context: context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.inputEnded(context: context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail(
            .connectionLost("in the upgrade: \(plainDescription(of: error))"), context: context)
        // The peer is gone or broken: there is nobody to exchange TLS's farewell with.
        context.channel.closeWithoutFarewell()
    }

    private func inputEnded(context: ChannelHandlerContext) {
        guard !self.isOver else { return }
        let action = self.handshake.receiveEOF()
        if case .needMore = action {
            self.fail(
                .connectionLost("in the upgrade: the server closed the connection before it answered"),
                context: context)
        } else {
            self.perform(action, context: context)
        }
    }

    private func perform(_ action: ClientHandshake.Action, context: ChannelHandlerContext) {
        switch action {
        case .needMore:
            break
        case .upgraded(let response, let subprotocol, _, let leftover):
            let agreement = WebSocketAgreement(
                request: self.handshake.requestHead.httpRequest, response: response,
                subprotocol: subprotocol, deflate: self.handshake.deflate, route: self.route)
            self.open(agreement, leftover: leftover, context: context)
        case .refused(let response, let body, let isTruncated):
            let refusal = WebSocketUpgradeRefusal(
                response: response, body: String(buffer: body), isBodyTruncated: isTruncated)
            self.fail(.upgradeRefused(refusal), context: context)
        case .failed(let failure):
            self.fail(WebSocketError(failure), context: context)
        }
    }

    private func open(_ agreement: WebSocketAgreement, leftover: ByteBuffer, context: ChannelHandlerContext) {
        do {
            let socket = try WebSocket(
                on: context.channel, position: .after(self), agreement: agreement, settings: self.settings)
            self.isOver = true
            self.deadlineTask?.cancel()
            self.opened.succeed(socket)
            if leftover.readableBytes > 0 { context.fireChannelRead(Self.wrapInboundOut(leftover)) }
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            self.fail(.upgradeFailed(plainDescription(of: error)), context: context)
        }
    }

    private func fail(_ error: WebSocketError, context: ChannelHandlerContext) {
        guard !self.isOver else { return }
        self.isOver = true
        self.deadlineTask?.cancel()
        self.opened.fail(error)
        context.close(promise: nil)
    }
}
