import CulvertTunnel
import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Moves bytes between the two channels of an open tunnel until both directions have ended.
///
/// - A FIN passes per direction: the other direction goes on until its own.
/// - A reset passes as a reset.
/// - One idle clock runs over both directions.
/// - A side that takes no more bytes stops the reading of the other: what is in memory is bounded.
///
/// Lives on the one event loop of both channels.
final class GlueRelay {
    enum Side {
        case client
        case origin

        var other: Side { self == .client ? .origin : .client }
    }

    struct Outcome {
        var closedBy = AccessLogEntry.Closer.proxy
        var reason = ""
    }

    private let eventLoop: any EventLoop
    private let idleTimeout: TimeAmount
    private let meter: TunnelMeter
    private let onEnd: (Outcome) -> Void

    private var client = End()
    private var origin = End()
    private var outcome = Outcome()
    private var lastActivity = NIODeadline.now()
    private var idleTimer: Scheduled<Void>?
    private var unsentBefore = 0
    private var hasCloser = false

    /// One of the two channels, seen from the relay.
    private struct End {
        /// Gone once the channel is closed.
        var context: ChannelHandlerContext?
        /// It sent its FIN: no more bytes come.
        var inputIsClosed = false
        /// It was sent everything and then our FIN.
        var outputIsDone = false
        /// It was reset, or its TLS broke.
        var hasFailed = false
        /// We closed it.
        var isClosing = false
    }

    /// - Parameter onEnd: called once, when both channels are closed.
    init(
        eventLoop: any EventLoop,
        idleTimeout: TimeAmount,
        meter: TunnelMeter,
        onEnd: @escaping (Outcome) -> Void
    ) {
        self.eventLoop = eventLoop
        self.idleTimeout = idleTimeout
        self.meter = meter
        self.onEnd = onEnd
    }

    /// Starts reading from both sides, once both have their handler.
    func start() {
        self.lastActivity = .now()
        self.armIdleTimer(in: self.idleTimeout)
        for side in [Side.client, .origin] where !self[side].inputIsClosed { self[side].context?.read() }
    }

    /// Ends the tunnel from here, after what is already on its way.
    func end(reason: String) {
        self.noteCloser(.proxy, reason: reason)
        self.closeAfterFlush(.client)
        self.closeAfterFlush(.origin)
    }

    // MARK: What happens on a side

    func added(_ side: Side, context: ChannelHandlerContext) {
        self[side].context = context
    }

    func received(_ bytes: ByteBuffer, from side: Side) {
        switch side {
        case .client: self.meter.addUp(bytes.readableBytes)
        case .origin: self.meter.addDown(bytes.readableBytes)
        }
        self.lastActivity = .now()
        self[side.other].context?.write(NIOAny(bytes), promise: nil)
    }

    func readCompleted(_ side: Side) {
        guard let target = self[side.other].context else { return }
        target.flush()
        self.readOn(side)
    }

    func writabilityChanged(_ side: Side) {
        self.lastActivity = .now()
        self.readOn(side.other)
    }

    func inputClosed(_ side: Side) {
        guard !self[side].inputIsClosed else { return }
        self[side].inputIsClosed = true
        self.lastActivity = .now()
        self.noteCloser(side == .client ? .client : .origin, reason: "closed")
        self.passFIN(to: side.other)
    }

    func failed(_ side: Side, error: any Error) {
        self[side].hasFailed = true
        self.noteCloser(side == .client ? .client : .origin, reason: plainDescription(of: error))
    }

    /// The channel of this side is closed: by us, by an error, or by its FIN when ours was out before.
    func becameInactive(_ side: Side) {
        self[side].context = nil
        // A channel that closes without our doing, before it had our FIN, met an error while writing: the peer is gone.
        let wasReset = self[side].hasFailed || !(self[side].isClosing || self[side].outputIsDone)
        self.noteCloser(side == .client ? .client : .origin, reason: wasReset ? "reset" : "closed")
        if self[side.other].context == nil {
            self.finish()
        } else if wasReset {
            self.reset(side.other)
        } else {
            self.closeAfterFlush(side.other)
        }
    }

    // MARK: Ending

    private func readOn(_ side: Side) {
        guard !self[side].inputIsClosed, self[side.other].context?.channel.isWritable == true else { return }
        self[side].context?.read()
    }

    private func passFIN(to side: Side) {
        guard let context = self[side].context else { return }
        // Everything written before must be out first: closing the output of a channel whose input is closed is
        // a full close, which drops what is still waiting.
        let flushed = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: flushed)
        // A flush that fails is followed by the close of the channel, which says what it means.
        flushed.futureResult.assumeIsolated().whenSuccess {
            guard let context = self[side].context else { return }
            self[side].outputIsDone = true
            if self.client.outputIsDone, self.origin.outputIsDone {
                self.close(.client)
                self.close(.origin)
            } else if !self[side].inputIsClosed {
                context.close(mode: .output, promise: nil)
            } else {
                // Both have sent their FIN, and the other side still takes bytes from this one's past.
                self.closeAfterFlush(side)
            }
        }
    }

    private func closeAfterFlush(_ side: Side) {
        guard let context = self[side].context else { return }
        let flushed = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: flushed)
        flushed.futureResult.assumeIsolated().whenComplete { _ in
            self.close(side)
        }
    }

    private func close(_ side: Side) {
        self[side].isClosing = true
        self[side].context?.close(promise: nil)
    }

    private func reset(_ side: Side) {
        guard let context = self[side].context else { return }
        // Closing with unsent data and no time to linger makes the kernel send RST instead of FIN.
        guard let socket = context.channel as? any SocketOptionProvider else {
            return self.close(side)
        }
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
            self.close(side)
        }
    }

    private func noteCloser(_ closer: AccessLogEntry.Closer, reason: String) {
        guard !self.hasCloser else { return }
        self.hasCloser = true
        self.outcome.closedBy = closer
        self.outcome.reason = reason
    }

    private func finish() {
        self.idleTimer?.cancel()
        self.onEnd(self.outcome)
    }

    // MARK: Idle

    private var unsentBytes: Int {
        [self.client, self.origin].reduce(0) { sum, end in
            sum + ((try? end.context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0)
        }
    }

    private func armIdleTimer(in delay: TimeAmount) {
        self.idleTimer = self.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            // Bytes that still go out to a slow reader count too.
            let unsent = self.unsentBytes
            if unsent > 0, unsent != self.unsentBefore { self.lastActivity = .now() }
            self.unsentBefore = unsent
            let idle = NIODeadline.now() - self.lastActivity
            if idle < self.idleTimeout {
                self.armIdleTimer(in: self.idleTimeout - idle)
            } else {
                self.noteCloser(.proxy, reason: "idle")
                // A peer that took nothing for so long will not take the rest: no flush to wait for.
                self.close(.client)
                self.close(.origin)
            }
        }
    }

    private subscript(side: Side) -> End {
        get { side == .client ? self.client : self.origin }
        set {
            if side == .client { self.client = newValue } else { self.origin = newValue }
        }
    }
}

/// Tells the relay what happens on one of its channels.
final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let relay: GlueRelay
    private let side: GlueRelay.Side

    init(_ relay: GlueRelay, side: GlueRelay.Side) {
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
