import CulvertTunnel
import HTTPWire
import NIOCore
import WebSocketWire

/// Performs what the handshake and then the ``WebSocketMachine`` ask for, on one channel.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// The request is out. Leaves on the answer, EOF or the deadline.
        case opening(ClientHandshake)
        /// Messages flow. Leaves when both close frames are through, on EOF, or on a violation.
        case open(WebSocketMachine)
        /// Nothing is sent any more; the channel is closed or about to be.
        case ended
    }

    var phase: Phase
    private let limits: WebSocketLimits
    private let queue: MessageQueue
    private let opened: EventLoopPromise<WebSocketAgreement>
    private let openTimeout: Duration
    private let deadline: NIODeadline
    private let keys = MaskingKeys()

    private(set) var context: ChannelHandlerContext?
    private var deadlineTask: Scheduled<Void>?
    var closeTask: Scheduled<Void>?
    var sends = SendQueue()
    var waitingPings: [PingTicket] = []
    var pingCount: UInt64 = 0
    var sentCloseCode: WebSocketCloseCode?
    /// Replies written since the socket took no more.
    private var unreadReplies = 0
    /// 8,000 pongs of the largest size.
    private static let maxUnreadReplies = 1024 * 1024
    private var isReadingPaused = false
    private var wantsRead = false
    /// Why the connection ended, for whoever still sends.
    var ending: WebSocketError?

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
            self.failOpening(.connectionLost("in the upgrade: \(plainDescription(of: error))"))
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
            self.run(consume machine, context: context)
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
            let deflate = self.agreedDeflate
            var machine = WebSocketMachine(
                role: .client, limits: self.limits, maskingKey: { keys.next() }, transform: deflate)
            self.opened.succeed(
                WebSocketAgreement(
                    response: response, subprotocol: subprotocol, compression: deflate?.parameters))
            machine.receive(leftover)
            self.run(consume machine, context: context)
        case .refused(let response, let body, let isTruncated):
            let refusal = WebSocketUpgradeRefusal(
                response: response, body: String(buffer: body), isBodyTruncated: isTruncated)
            self.failOpening(.upgradeRefused(refusal))
        case .failed(let failure):
            self.failOpening(WebSocketError(failure))
        }
    }

    private var agreedDeflate: PerMessageDeflate? {
        if case .opening(let handshake) = self.phase { handshake.deflate } else { nil }
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
        var machine = consume machine
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
        self.phase = .open(consume machine)
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
                self.failOpening(
                    .connectionLost("in the upgrade: the server closed the connection before it answered"))
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

    // MARK: End

    var endingError: WebSocketError {
        self.ending ?? .closed(WebSocketClose(code: .normalClosure, reason: "closed from this side"))
    }

    private func end(_ end: MessageQueue.End, close: WebSocketClose) {
        if case .failed(let error) = end { self.ending = error }
        self.phase = .ended
        self.isReadingPaused = false
        self.queue.finish(end, close: close)
        let error = self.endingError
        for ticket in self.sends.removeAll() { ticket.fail(error) }
        for ticket in self.waitingPings { ticket.fail(error) }
        self.waitingPings.removeAll()
    }
}
