import NIOCore
import SOCKSWire

/// Performs what a ``SOCKSClientMachine`` asks for, then hands every further byte on and leaves.
final class SOCKSHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Outcome {
        case established
        case failed(SOCKSFailure)
        case connectionLost(any Error)
    }

    private var machine: SOCKSClientMachine
    private let report: (Outcome) -> Void
    private var isDone = false

    init(machine: SOCKSClientMachine, report: @escaping (Outcome) -> Void) {
        self.machine = machine
        self.report = report
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.perform(self.machine.start(), context: context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isDone else { return context.fireChannelRead(data) }
        self.perform(self.machine.receive(Self.unwrapInboundIn(data)), context: context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if !self.isDone, case ChannelEvent.inputClosed = event {
            self.perform(self.machine.receiveEOF(), context: context)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !self.isDone { self.perform(self.machine.receiveEOF(), context: context) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !self.isDone else { return context.fireErrorCaught(error) }
        self.finish(.connectionLost(error), context: context)
    }

    private func perform(_ action: SOCKSClientMachine.Action, context: ChannelHandlerContext) {
        switch action {
        case .needMore:
            break
        case .send(let message):
            context.writeAndFlush(Self.wrapOutboundOut(message), promise: nil)
            self.perform(self.machine.receive(ByteBuffer()), context: context)
        case .established(let leftover):
            self.isDone = true
            // The report adds what comes next behind this handler, so the leftover bytes find it there.
            self.report(.established)
            if leftover.readableBytes > 0 {
                context.fireChannelRead(Self.wrapInboundOut(leftover))
                context.fireChannelReadComplete()
            }
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        case .failed(let failure):
            self.finish(.failed(failure), context: context)
        }
    }

    private func finish(_ outcome: Outcome, context: ChannelHandlerContext) {
        self.isDone = true
        self.report(outcome)
        context.close(promise: nil)
    }
}
