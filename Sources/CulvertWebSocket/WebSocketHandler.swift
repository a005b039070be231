import CulvertTunnel
import NIOCore
import WebSocketWire

/// Performs what the ``WebSocketMachine`` of an open WebSocket asks for, on one channel, in either role.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Messages flow. Leaves when both close frames are through, on EOF, or on a violation.
        case open(WebSocketMachine)
        /// Nothing is sent any more; the channel is closed or about to be.
        case ended
    }

    var phase: Phase
    private let role: WebSocketRole
    private let closeTimeout: TimeAmount
    private let queue: MessageQueue

    private(set) var context: ChannelHandlerContext?
    var closeTask: Scheduled<Void>?
    var sends = SendQueue()
    /// Frames were written that a task of the loop will flush.
    var isFlushDue = false
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

    init(_ settings: WebSocketSettings, queue: MessageQueue, transform: (any PayloadTransform)?) {
        let keys = MaskingKeys()
        self.role = settings.role
        self.closeTimeout = TimeAmount(settings.closeTimeout)
        self.queue = queue
        self.phase = .open(
            WebSocketMachine(
                role: settings.role, limits: settings.limits, maskingKey: { keys.next() },
                transform: transform))
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .open(var machine) = self.phase else { return }
        self.phase = .ended
        machine.receive(Self.unwrapInboundIn(data))
        self.run(consume machine, context: context)
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
        if case .open = self.phase {
            let loss = WebSocketError.connectionLost(plainDescription(of: error))
            self.end(.failed(loss), close: WebSocketClose(code: .abnormalClosure))
        }
        // The peer is gone or broken: there is nobody to exchange TLS's farewell with.
        context.channel.closeWithoutFarewell()
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
        if end != nil { self.closeInOrder(context: context) }
    }

    /// RFC 6455 §7.1.1: the server closes TCP first; a client that waits leaves no TIME_WAIT behind.
    ///
    /// The server closes its output only: closing with unread input would make the kernel send RST, which can destroy
    /// the close frame on its way.
    private func closeInOrder(context: ChannelHandlerContext) {
        self.closeUnlessProgressing(within: self.closeTimeout, unsent: .max)
        // Behind what still waits for the socket.
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: written)
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in
            let (handler, context) = bound.value
            if handler.role == .server { context.close(mode: .output, promise: nil) }
            handler.closeChannel(within: .seconds(1))
        }
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
        guard case .open(var machine) = self.phase else { return }
        let close = machine.receiveEOF()
        let error = WebSocketError.connectionLost(
            "the peer ended it without a close frame (\(close.code))")
        self.end(.failed(error), close: close)
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
        self.resumeReading()
        self.queue.finish(end, close: close)
        let error = self.endingError
        for ticket in self.sends.removeAll() { ticket.fail(error) }
        for ticket in self.waitingPings { ticket.fail(error) }
        self.waitingPings.removeAll()
    }
}
