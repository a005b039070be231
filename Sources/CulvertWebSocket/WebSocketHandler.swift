import CulvertTunnel
import NIOCore
import WebSocketWire

/// Performs what the ``WebSocketMachine`` of an open WebSocket asks for, on one channel, in either role.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// Changed in place: taking it out and putting it back costs more than a small message does otherwise.
    var machine: WebSocketMachine
    /// Nothing is sent or received any more; the channel is closed or about to be.
    private(set) var isOver = false
    let settings: WebSocketSettings
    private let queue: MessageQueue

    private(set) var context: ChannelHandlerContext?
    var closeTask: Scheduled<Void>?
    var keepalive: Keepalive?
    var keepaliveTask: Scheduled<Void>?
    /// Bytes that had not arrived when the keepalive looked last.
    var unsentAtKeepalive = 0
    let latency: LatencyGauge
    var sends = SendQueue()
    /// Frames on their way to the channel, which gets those of a turn in one piece; see ``FrameCollector``.
    var frames: FrameCollector
    /// Frames were made, or written, that are not flushed.
    var isFlushDue = false
    /// Whatever is sent now is flushed when the turn ends.
    var isInTurn = false
    /// Runs the tasks that use the connection on its loop, for those that ask for it; nil before and behind its time.
    private(set) var executor: EventLoopTaskExecutor?
    var traffic = WebSocketTraffic()
    var waitingPings: [PingTicket] = []
    var pingCount: UInt64 = 0
    var sentCloseCode: WebSocketCloseCode?
    /// Replies written since the socket took no more.
    private var unreadReplies = 0
    /// 8,000 pongs of the largest size.
    private static let maxUnreadReplies = 1024 * 1024
    private(set) var isReadingPaused = false
    private var wantsRead = false
    /// The input ended while reading was paused: behind what was received and not yet looked at.
    private var heldInputEnd: InputEnd?
    /// Lets out the end that the machine holds back.
    private var heldEndTask: Scheduled<Void>?
    /// Why the connection ended, for whoever still sends.
    var ending: WebSocketError?

    private enum InputEnd {
        case closed
        case failed(WebSocketError)
    }

    init(
        _ settings: WebSocketSettings, queue: MessageQueue, latency: LatencyGauge,
        transform: (any PayloadTransform)?
    ) {
        let keys = MaskingKeys()
        self.settings = settings
        self.queue = queue
        self.latency = latency
        self.machine = WebSocketMachine(
            role: settings.role, limits: settings.limits, maskingKey: { keys.next() }, transform: transform)
        self.frames = FrameCollector(most: settings.outboundWatermarks.high)
        self.machine.delivery = .messagesOrFragments
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.executor = EventLoopTaskExecutor(context.eventLoop, handler: self)
        self.settings.metrics.connectionOpened()
        self.startKeepalive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isOver else { return }
        self.heardFromPeer()
        // Kept: what follows may be the connection's end, and what became ready runs all the same.
        let executor = self.executor
        self.takeTurn {
            executor?.gather()
            self.machine.receive(Self.unwrapInboundIn(data))
            self.run()
            // The consumer's turn, now that the handler is done with its own.
            executor?.runReady()
        }
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
            self.connectionEnded(.closed)
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.connectionEnded(.closed)
        self.closeTask?.cancel()
        self.keepaliveTask?.cancel()
        self.context = nil
        self.executor?.release()
        self.executor = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.connectionEnded(.failed(.connectionLost(plainDescription(of: error))))
        // The peer is gone or broken: there is nobody to exchange TLS's farewell with.
        context.channel.closeWithoutFarewell()
    }

    // MARK: Messages that come

    /// Performs what the received bytes amount to.
    ///
    /// While the consumer is slow, what was received stays as it is: inflated it could be a thousand times larger.
    ///
    /// - Parameter holdsEnd: the peer's close, or a violation, waits until the consumer has answered the messages
    ///   before it.
    private func run(holdsEnd: Bool = true) {
        var holdsEnd = holdsEnd
        var outbound = ByteBuffer()
        var end: (MessageQueue.End, WebSocketClose)?
        actions: while !self.isReadingPaused {
            switch self.machine.nextAction(outbound: &outbound, holdsEnd: holdsEnd) {
            case .needMore where self.machine.holdsEnd && !self.queue.isConsumerBusy():
                holdsEnd = false
            case .needMore:
                break actions
            case .message(let message):
                self.push(.message(message))
            case .fragment(let fragment):
                self.push(.fragment(fragment))
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
        if self.machine.holdsEnd { self.limitHeldEnd() }
        self.countTraffic()
        // The end before the write: a write that fails calls this handler, which must know by then.
        if let (end, close) = end { self.end(end, close: close) }
        if let context, outbound.readableBytes > 0 {
            self.countUnreadReplies(outbound.readableBytes, context: context)
            self.writeFrames(context)
            context.writeAndFlush(Self.wrapOutboundOut(outbound), promise: nil)
        }
        if end != nil, let context { self.closeInOrder(context: context) }
    }

    /// RFC 6455 §7.1.1: the server closes TCP first; a client that waits leaves no TIME_WAIT behind.
    ///
    /// The server closes its output only: closing with unread input would make the kernel send RST, which can destroy
    /// the close frame on its way.
    private func closeInOrder(context: ChannelHandlerContext) {
        self.awaitClose(within: TimeAmount(self.settings.closeTimeout))
        // Behind what still waits for the socket.
        self.writeFrames(context)
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: written)
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in
            let (handler, context) = bound.value
            if handler.settings.role == .server { context.close(mode: .output, promise: nil) }
            handler.closeChannel(within: .seconds(1))
        }
    }

    private func push(_ item: MessageQueue.Item) {
        self.traffic.received(item)
        if !self.queue.push(item) { self.isReadingPaused = true }
    }

    /// Hands out what was received the way the consumer wants it.
    func deliver(_ delivery: MessageDelivery) {
        guard !self.isOver else { return }
        self.machine.delivery = delivery
        self.run()
    }

    /// The consumer cannot take what comes.
    func refuse(_ error: WebSocketProtocolError) {
        self.performHeldEnd()
        guard !self.isOver else { return }
        let close = WebSocketClose(code: error.closeCode, reason: error.detail)
        _ = self.close(close.code, reason: close.reason, timeout: .seconds(1))
        self.end(.failed(.protocolViolation(error)), close: close)
        self.readAgain()
    }

    /// A peer that sends pings and reads nothing must not fill the memory with their pongs.
    private func countUnreadReplies(_ count: Int, context: ChannelHandlerContext) {
        guard !context.channel.isWritable else { return self.unreadReplies = 0 }
        self.unreadReplies += count
        guard self.unreadReplies > Self.maxUnreadReplies, !self.isOver else { return }
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

    private func connectionEnded(_ reason: InputEnd) {
        // Nobody is there any more for the answers that it waits for.
        self.performHeldEnd()
        guard !self.isOver, self.heldInputEnd == nil else { return }
        let error: WebSocketError =
            switch reason {
            case .closed:
                .connectionLost(
                    "the peer ended it without a close frame (\(WebSocketCloseCode.abnormalClosure))")
            case .failed(let error): error
            }
        if self.isReadingPaused {
            self.heldInputEnd = reason
            return self.failWaiting(error)
        }
        self.end(.failed(error), close: WebSocketClose(code: .abnormalClosure))
    }

    /// A consumer that is not done with what came within the close timeout is not waited for.
    private func limitHeldEnd() {
        guard let context, self.heldEndTask == nil else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.heldEndTask = context.eventLoop.scheduleTask(in: TimeAmount(self.settings.closeTimeout)) {
            bound.value.performHeldEnd()
        }
    }

    /// The peer's close, or a violation, waits no longer.
    func performHeldEnd() {
        guard !self.isOver, self.machine.holdsEnd else { return }
        self.run(holdsEnd: false)
    }

    /// The consumer has caught up, or is done with what came.
    func consumerProgressed() {
        if !self.queue.isConsumerBusy() { self.performHeldEnd() }
        self.resumeReading()
    }

    func resumeReading() {
        guard self.isReadingPaused else { return }
        self.isReadingPaused = false
        self.heardFromPeer()
        if !self.isOver { self.run() }
        guard !self.isReadingPaused else { return }
        if let heldInputEnd {
            self.heldInputEnd = nil
            self.connectionEnded(heldInputEnd)
        }
        self.readAgain()
    }

    private func readAgain() {
        guard self.wantsRead else { return }
        self.wantsRead = false
        self.context?.read()
    }

    // MARK: End

    var endingError: WebSocketError {
        self.ending ?? .closed(WebSocketClose(code: .normalClosure, reason: "closed from this side"))
    }

    func end(_ end: MessageQueue.End, close: WebSocketClose) {
        self.isOver = true
        // Nothing of the connection's buffers is needed any more.
        _ = self.machine.receiveEOF()
        self.keepaliveTask?.cancel()
        self.heldEndTask?.cancel()
        self.resumeReading()
        self.queue.finish(end, close: close)
        if case .failed(let error) = end {
            self.settings.metrics.connectionLost()
            self.failWaiting(error)
        } else {
            self.failWaiting(self.endingError)
        }
    }

    /// Nothing is sent any more.
    private func failWaiting(_ error: WebSocketError) {
        self.ending = error
        for ticket in self.sends.removeAll() { ticket.fail(error) }
        for ticket in self.waitingPings { ticket.fail(error) }
        self.waitingPings.removeAll()
    }
}
