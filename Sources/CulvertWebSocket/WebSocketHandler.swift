import CulvertTunnel
import HTTPWire
import NIOCore
import WebSocketWire

/// Performs what the handshake and then the ``WebSocketMachine`` ask for, on one channel.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// The request is out. Leaves on the answer, EOF or the deadline.
        case opening(ClientHandshake)
        /// Messages flow. Leaves when both close frames are through, on EOF, or on a violation.
        case open(WebSocketMachine)
        /// Nothing is sent any more; the channel is closed or about to be.
        case ended
    }

    private var phase: Phase
    private let limits: WebSocketLimits
    private let queue: MessageQueue
    private let opened: EventLoopPromise<WebSocketAgreement>
    private let openTimeout: Duration
    private let deadline: NIODeadline
    private let keys = MaskingKeys()

    private var context: ChannelHandlerContext?
    private var deadlineTask: Scheduled<Void>?
    private var closeTask: Scheduled<Void>?
    private var waitingSends = CircularBuffer<SendTicket>()
    private var waitingPings: [PingTicket] = []
    private var pingCount: UInt64 = 0
    private var sentCloseCode: WebSocketCloseCode?
    /// Replies written since the socket took no more.
    private var unreadReplies = 0
    /// 8,000 pongs of the largest size.
    private static let maxUnreadReplies = 1024 * 1024
    private var isReadingPaused = false
    private var wantsRead = false
    /// Why the connection ended, for whoever still sends.
    private var ending: WebSocketError?

    init(
        _ handshake: ClientHandshake,
        limits: WebSocketLimits,
        queue: MessageQueue,
        opened: EventLoopPromise<WebSocketAgreement>,
        openTimeout: Duration,
        deadline: NIODeadline
    ) {
        self.phase = .opening(handshake)
        self.limits = limits
        self.queue = queue
        self.opened = opened
        self.openTimeout = openTimeout
        self.deadline = deadline
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard case .opening(let handshake) = self.phase else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.deadlineTask = context.eventLoop.scheduleTask(deadline: self.deadline) {
            let handler = bound.value
            handler.failOpening(.upgradeTimedOut(after: handler.openTimeout))
        }
        context.writeAndFlush(Self.wrapOutboundOut(handshake.request()), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.receive(Self.unwrapInboundIn(data), context: context)
    }

    func read(context: ChannelHandlerContext) {
        // The consumer's pace: a read that waits here is made up for in `resumeReading`.
        if self.isReadingPaused { self.wantsRead = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.sendWaiting()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            self.inputEnded()
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.inputEnded()
        self.closeTask?.cancel()
        self.context = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch self.phase {
        case .opening:
            self.failOpening(.upgradeFailed("the connection failed: \(plainDescription(of: error))"))
        case .open:
            let loss = WebSocketError.connectionLost(plainDescription(of: error))
            self.end(.failed(loss), close: WebSocketClose(code: .abnormalClosure))
        case .ended:
            break
        }
        // The peer is gone or broken: there is nobody to exchange TLS's farewell with.
        context.channel.closeWithoutFarewell()
    }

    // MARK: Opening

    private func receive(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        switch self.phase {
        case .opening(var handshake):
            let action = handshake.receive(bytes)
            self.phase = .opening(handshake)
            self.perform(action, context: context)
        case .open(var machine):
            self.phase = .ended
            machine.receive(bytes)
            self.run(machine, context: context)
        case .ended:
            break
        }
    }

    private func perform(_ action: ClientHandshake.Action, context: ChannelHandlerContext) {
        switch action {
        case .needMore:
            break
        case .upgraded(let response, let subprotocol, _, let leftover):
            self.deadlineTask?.cancel()
            let keys = self.keys
            var machine = WebSocketMachine(role: .client, limits: self.limits, maskingKey: { keys.next() })
            self.opened.succeed(WebSocketAgreement(response: response, subprotocol: subprotocol))
            machine.receive(leftover)
            self.run(machine, context: context)
        case .refused(let response, let body, let isTruncated):
            let refusal = WebSocketUpgradeRefusal(
                response: response, body: String(buffer: body), isBodyTruncated: isTruncated)
            self.failOpening(.upgradeRefused(refusal))
        case .failed(let failure):
            self.failOpening(.upgradeFailed("\(failure)"))
        }
    }

    private func failOpening(_ error: WebSocketError) {
        guard case .opening = self.phase else { return }
        self.phase = .ended
        self.deadlineTask?.cancel()
        self.opened.fail(error)
        self.context?.close(promise: nil)
    }

    // MARK: Messages that come

    /// Takes the machine over so that its buffers have one owner, and puts it back unless the connection ended.
    private func run(_ machine: consuming WebSocketMachine, context: ChannelHandlerContext) {
        var machine = machine
        var outbound = context.channel.allocator.buffer(capacity: 0)
        var end: (MessageQueue.End, WebSocketClose)?
        actions: while true {
            switch machine.nextAction(outbound: &outbound) {
            case .needMore:
                break actions
            case .message(let message):
                if !self.queue.push(message) { self.isReadingPaused = true }
            case .ping:
                break
            case .pong(let payload):
                self.pongArrived(payload)
            case .closing(let close):
                end = (self.endForClose(close), close)
                break actions
            case .failed(let error):
                end = (
                    .failed(.protocolViolation(error)),
                    WebSocketClose(code: error.closeCode, reason: error.detail)
                )
                break actions
            }
        }
        self.phase = .open(machine)
        // The end before the write: a write that fails calls this handler, which must know by then.
        if let (end, close) = end { self.end(end, close: close) }
        if outbound.readableBytes > 0 {
            self.countUnreadReplies(outbound.readableBytes, context: context)
            context.writeAndFlush(Self.wrapOutboundOut(outbound), promise: nil)
        }
        // RFC 6455 §7.1.1: the server closes TCP first; a client that waits leaves no TIME_WAIT behind.
        if end != nil { self.closeChannel(within: .seconds(1)) }
    }

    /// A peer that sends pings and reads nothing must not fill the memory with their pongs.
    private func countUnreadReplies(_ count: Int, context: ChannelHandlerContext) {
        guard !context.channel.isWritable else { return self.unreadReplies = 0 }
        self.unreadReplies += count
        guard self.unreadReplies > Self.maxUnreadReplies, case .open = self.phase else { return }
        let loss = WebSocketError.connectionLost("the peer sends pings and reads none of the pongs")
        self.end(.failed(loss), close: WebSocketClose(code: .abnormalClosure))
        context.channel.closeWithoutFarewell()
    }

    private func endForClose(_ close: WebSocketClose) -> MessageQueue.End {
        switch close.code {
        // The peer's echo of our own code.
        case self.sentCloseCode: .finished
        case .normalClosure, .goingAway, .noStatusReceived: .finished
        default: .failed(.closed(close))
        }
    }

    private func inputEnded() {
        switch self.phase {
        case .opening(var handshake):
            let action = handshake.receiveEOF()
            if case .needMore = action {
                self.failOpening(.upgradeFailed("the server closed the connection before it answered"))
            } else if let context {
                self.perform(action, context: context)
            }
        case .open(var machine):
            let close = machine.receiveEOF()
            let error = WebSocketError.connectionLost(
                "the peer ended it without a close frame (\(close.code))")
            self.end(.failed(error), close: close)
        case .ended:
            break
        }
    }

    func resumeReading() {
        guard self.isReadingPaused else { return }
        self.isReadingPaused = false
        guard self.wantsRead else { return }
        self.wantsRead = false
        self.context?.read()
    }

    // MARK: Messages that go

    func send(_ ticket: SendTicket) {
        if ticket.isCancelled { return ticket.fail(CancellationError()) }
        guard case .open = self.phase else { return ticket.fail(self.endingError) }
        guard self.waitingSends.isEmpty, self.context?.channel.isWritable == true else {
            return self.waitingSends.append(ticket)
        }
        self.write(ticket)
    }

    func cancel(_ ticket: SendTicket) {
        ticket.isCancelled = true
        guard let index = self.waitingSends.firstIndex(where: { $0 === ticket }) else { return }
        self.waitingSends.remove(at: index)
        ticket.fail(CancellationError())
    }

    private func sendWaiting() {
        while self.context?.channel.isWritable == true, let ticket = self.waitingSends.popFirst() {
            self.write(ticket)
        }
    }

    private func write(_ ticket: SendTicket) {
        let error = self.sendFrame { (machine, outbound) throws(WebSocketSendError) in
            try machine.send(ticket.message, outbound: &outbound)
        }
        if let error { ticket.fail(error) } else { ticket.succeed() }
    }

    func ping(_ ticket: PingTicket) {
        if ticket.isCancelled { return ticket.fail(CancellationError()) }
        self.pingCount += 1
        let payload = ByteBuffer(integer: self.pingCount)
        ticket.payload = payload
        let error = self.sendFrame { (machine, outbound) throws(WebSocketSendError) in
            try machine.sendPing(payload, outbound: &outbound)
        }
        if let error { return ticket.fail(error) }
        self.waitingPings.append(ticket)
    }

    func cancel(_ ticket: PingTicket) {
        ticket.isCancelled = true
        guard let index = self.waitingPings.firstIndex(where: { $0 === ticket }) else { return }
        self.waitingPings.remove(at: index)
        ticket.fail(CancellationError())
    }

    private func pongArrived(_ payload: ByteBuffer) {
        // A pong answers its ping and, as RFC 6455 §5.5.3 allows, every earlier one that got none of its own.
        guard let index = self.waitingPings.firstIndex(where: { $0.payload == payload }) else { return }
        for ticket in self.waitingPings[...index] { ticket.succeed() }
        self.waitingPings.removeSubrange(...index)
    }

    /// Sends a close frame, once, and cuts the connection when the peer has not answered in time.
    func close(_ code: WebSocketCloseCode, reason: String, timeout: TimeAmount) -> WebSocketError? {
        guard case .open(let machine) = self.phase, !machine.closeSent else { return nil }
        let error = self.sendFrame { (machine, outbound) throws(WebSocketSendError) in
            try machine.sendClose(code, reason: reason, outbound: &outbound)
        }
        if error == nil {
            self.sentCloseCode = code
            self.closeUnlessProgressing(within: timeout, unsent: .max)
        }
        return error
    }

    /// The peer's answer is due a timeout after our close frame is out; as long as bytes before it still go out, the
    /// peer is alive and reading.
    private func closeUnlessProgressing(within timeout: TimeAmount, unsent before: Int) {
        guard let context else { return }
        self.closeTask?.cancel()
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        self.closeTask = context.eventLoop.scheduleTask(in: timeout) {
            let (handler, context) = bound.value
            let unsent = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
            // Once all is out, one more timeout is for the answer.
            if unsent < before, before > 0, before != .max || unsent > 0 {
                handler.closeUnlessProgressing(within: timeout, unsent: unsent)
            } else {
                context.channel.closeWithoutFarewell()
            }
        }
    }

    func closeChannel(within timeout: TimeAmount) {
        guard let context else { return }
        self.closeTask?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        self.closeTask = context.eventLoop.scheduleTask(in: timeout) {
            bound.value.channel.closeWithoutFarewell()
        }
    }

    private func sendFrame(
        _ make: (inout WebSocketMachine, inout ByteBuffer) throws(WebSocketSendError) -> Void
    ) -> WebSocketError? {
        guard case .open(var machine) = self.phase, let context else { return self.endingError }
        guard machine.isOpen else { return self.endingError }
        // One owner while it changes; put back before the write, which may call this handler again.
        self.phase = .ended
        var outbound = ByteBuffer()
        var refusal: WebSocketError?
        do {
            try make(&machine, &outbound)
        } catch {
            refusal = .unsendable("\(error)")
        }
        self.phase = .open(machine)
        if let refusal { return refusal }
        context.writeAndFlush(Self.wrapOutboundOut(outbound), promise: nil)
        return nil
    }

    // MARK: End

    private var endingError: WebSocketError {
        self.ending ?? .closed(WebSocketClose(code: .normalClosure, reason: "closed from this side"))
    }

    private func end(_ end: MessageQueue.End, close: WebSocketClose) {
        if case .failed(let error) = end { self.ending = error }
        self.phase = .ended
        self.isReadingPaused = false
        self.queue.finish(end, close: close)
        let error = self.endingError
        for ticket in self.waitingSends { ticket.fail(error) }
        for ticket in self.waitingPings { ticket.fail(error) }
        self.waitingSends.removeAll()
        self.waitingPings.removeAll()
    }
}
