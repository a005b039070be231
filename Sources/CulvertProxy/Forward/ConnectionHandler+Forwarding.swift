import HTTPWire
import NIOCore

/// Requests that are passed on: the client's connection lends itself to a ``ForwardHandler`` and takes itself back.
extension ConnectionHandler {
    func forward(
        _ request: ForwardRequest, early: ByteBuffer, inputClosed: Bool, context: ChannelHandlerContext
    ) {
        guard let judgement else { preconditionFailure("the machine forwards what it had authorised") }
        do {
            let forwarder = try self.forwarder ?? self.makeForwarder(context: context)
            self.forwarder = forwarder
            self.phase = .forwarding(forwarder)
            forwarder.forward(
                request, early: early, inputClosed: inputClosed, under: judgement, limit: self.bandwidth)
        } catch {
            // The channel closed under us.
            context.close(promise: nil)
        }
    }

    private func makeForwarder(context: ChannelHandlerContext) throws -> ForwardHandler {
        guard let timer else { throw ChannelError.ioOnClosedChannel }
        return try ForwardHandler(self.core, context: context, timer: timer) { outcome in
            self.forwardEnded(outcome, context: context)
        }
    }

    private func forwardEnded(_ outcome: ForwardOutcome, context: ChannelHandlerContext) {
        guard let forwarder else { return }
        self.phase = .negotiating
        self.request.wasForwarded(forwarder.figures)
        switch outcome {
        case .ended(let end):
            self.request.end(by: .origin, reason: "forwarded", in: self.core)
            self.exchangeEnded(end, context: context)
        case .failed(.refuse(let rejection, let leftover, let inputClosed, let mayPersist)):
            if let denial = self.judgement?.denial { self.entry.rule = denial.rule }
            let action = self.machine.exchangeRefused(
                rejection, leftover: leftover, inputClosed: inputClosed, mayPersist: mayPersist)
            self.perform(action, context: context)
        case .failed(.cut(let reason, let byReset)):
            self.request.end(by: .origin, reason: reason, in: self.core)
            self.cut(byReset: byReset, context: context)
        case .tunnel(let origin, let response, let fromClient, let fromOrigin, let inputClosed):
            self.upgrade(
                origin, response: response, fromClient: fromClient, fromOrigin: fromOrigin,
                inputClosed: inputClosed,
                context: context)
        }
    }

    private func exchangeEnded(_ end: ForwardEnd, context: ChannelHandlerContext) {
        let keeps = end.keepsClient && !self.core.draining
        if keeps { self.awaitNextRequest(context: context) }
        let action = self.machine.exchangeEnded(
            leftover: end.leftover, inputClosed: end.inputClosed, keepsConnection: keeps)
        self.perform(action, context: context)
    }

    /// Everything that came goes out first.
    private func cut(byReset: Bool, context: ChannelHandlerContext) {
        self.phase = .lingering(discarded: 0)
        self.afterWriting(ByteBuffer(), context: context) {
            if byReset { context.channel.reset() } else { context.close(promise: nil) }
        }
    }

    func abandonForward(by closer: AccessLogEntry.Closer, reason: String) {
        guard let forwarder, forwarder.abandon() else { return }
        self.phase = .done
        self.request.wasForwarded(forwarder.figures)
        self.request.end(by: closer, reason: reason, in: self.core)
    }

    private func upgrade(
        _ origin: OriginConnection, response: ByteBuffer, fromClient: ByteBuffer, fromOrigin: ByteBuffer,
        inputClosed: Bool, context: ChannelHandlerContext
    ) {
        do {
            try self.handOver(
                origin.channel, response: response, early: fromClient, inputClosed: inputClosed,
                context: context)
            origin.leave(passing: fromOrigin)
        } catch {
            origin.close()
            self.entry.reason = "\(error)"
            self.log()
            self.cut(byReset: false, context: context)
        }
    }
}
