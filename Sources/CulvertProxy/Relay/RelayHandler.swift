import NIOCore

/// Tells the relay what happens on one of its channels.
final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let relay: GlueRelay
    private let side: RelaySide

    init(_ relay: GlueRelay, side: RelaySide) {
        self.relay = relay
        self.side = side
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.relay.added(self.side, context: context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.relay.received(Self.unwrapInboundIn(data), from: self.side)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.relay.readCompleted(self.side)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.relay.writabilityChanged(self.side)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: self.relay.inputClosed(self.side)
        case DrainEvent.deadline: self.relay.end(reason: "the proxy is stopping")
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.relay.becameInactive(self.side)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.relay.failed(self.side, error: error)
        context.close(promise: nil)
    }
}
