import HTTPWire
import NIOCore

/// Performs what a ``ConnectClientMachine`` asks for, then hands every further byte on and leaves.
final class ConnectHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Outcome {
        case established
        case challenged(ConnectRefusal, challenges: [String], keepsConnection: Bool)
        case refused(ConnectRefusal)
        case failed(ConnectFailure)
        case connectionLost(any Error)
    }

    /// What a challenged request waits for.
    enum Reply {
        /// ``retry(_:)``, when the answer is there.
        case wait
        /// Nothing: the connection closes.
        case giveUp
    }

    private var machine: ConnectClientMachine
    private let authorization: String?
    /// Only a challenge is waited behind.
    private let report: (Outcome) -> Reply
    private var isDone = false
    private var context: ChannelHandlerContext?

    init(
        machine: ConnectClientMachine,
        authorization: String?,
        report: @escaping (Outcome) -> Reply
    ) {
        self.machine = machine
        self.authorization = authorization
        self.report = report
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let request = self.machine.start(proxyAuthorization: self.authorization)
        context.writeAndFlush(Self.wrapOutboundOut(request), promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    /// Sends the request again with this answer to its challenge.
    func retry(_ authorization: String) {
        guard let context, !self.isDone else { return }
        let request = self.machine.retry(proxyAuthorization: authorization)
        context.writeAndFlush(Self.wrapOutboundOut(request), promise: nil)
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
        self.isDone = true
        _ = self.report(.connectionLost(error))
        context.close(promise: nil)
    }

    private func perform(_ action: ConnectClientMachine.Action, context: ChannelHandlerContext) {
        switch action {
        case .needMore:
            break
        case .established(_, let leftover):
            self.isDone = true
            // The report adds what comes next behind this handler, so the leftover bytes find it there.
            _ = self.report(.established)
            if leftover.readableBytes > 0 {
                context.fireChannelRead(Self.wrapInboundOut(leftover))
                context.fireChannelReadComplete()
            }
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        case .challenged(let refusal, let challenges, let keepsConnection):
            let outcome = Outcome.challenged(
                refusal, challenges: challenges, keepsConnection: keepsConnection)
            if case .giveUp = self.report(outcome) { self.giveUp(context: context) }
        case .refused(let refusal):
            _ = self.report(.refused(refusal))
            self.giveUp(context: context)
        case .failed(let failure):
            _ = self.report(.failed(failure))
            self.giveUp(context: context)
        }
    }

    private func giveUp(context: ChannelHandlerContext) {
        self.isDone = true
        context.close(promise: nil)
    }
}
