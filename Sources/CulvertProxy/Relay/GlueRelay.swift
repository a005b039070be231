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

/// Moves one tunnel's bytes between its two channels: works on whatever is a channel. See ``RelayEngine`` for what
/// it keeps to.
///
/// Lives on the one event loop of both channels.
final class GlueRelay {
    private let eventLoop: any EventLoop
    private let idleTimeout: TimeAmount
    private let limit: (any TrafficLimit)?
    private let record: TunnelRecord

    private var client = End()
    private var origin = End()
    private var outcome = RelayOutcome()
    private var lastActivity = NIODeadline.now()
    private var idleTimer: Scheduled<Void>?
    private var unsentBefore = 0

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
        /// Bytes from it that its limit does not know of yet.
        var unspent = 0
        /// Its limit says not to read from it for now.
        var isPaused = false
    }

    init(_ tunnel: Tunnel, _ record: TunnelRecord) {
        self.eventLoop = tunnel.client.eventLoop
        self.idleTimeout = tunnel.idleTimeout
        self.limit = tunnel.limit
        self.record = record
    }

    /// Passes on what is owed and starts reading from both sides, once both have their handler.
    func start(_ tunnel: Tunnel) {
        self.lastActivity = .now()
        self.armIdleTimer(in: self.idleTimeout)
        if tunnel.response.readableBytes > 0 {
            self.client.context?.writeAndFlush(NIOAny(tunnel.response), promise: nil)
        }
        if tunnel.early.readableBytes > 0 {
            self.received(tunnel.early, from: .client)
            self.readCompleted(.client)
        }
        if tunnel.clientHasFinished { self.inputClosed(.client) }
        self.readOn(.client)
        self.readOn(.origin)
    }

    /// Ends the tunnel from here, after what is already on its way.
    func end(reason: String) {
        self.outcome.ended(by: .proxy, reason: reason)
        self.closeAfterFlush(.client)
        self.closeAfterFlush(.origin)
    }

    // MARK: What happens on a side

    func added(_ side: RelaySide, context: ChannelHandlerContext) {
        self[side].context = context
    }

    func received(_ bytes: ByteBuffer, from side: RelaySide) {
        self.record.count(bytes.readableBytes, from: side)
        self[side].unspent += bytes.readableBytes
        self.lastActivity = .now()
        self[side.other].context?.write(NIOAny(bytes), promise: nil)
    }

    func readCompleted(_ side: RelaySide) {
        guard let target = self[side.other].context else { return }
        // First: a flush can tell of writability at once, which reads on.
        self.spend(side)
        target.flush()
        self.readOn(side)
    }

    func writabilityChanged(_ side: RelaySide) {
        self.lastActivity = .now()
        self.readOn(side.other)
    }

    func inputClosed(_ side: RelaySide) {
        guard !self[side].inputIsClosed else { return }
        self[side].inputIsClosed = true
        self.lastActivity = .now()
        self.outcome.ended(by: side.closer, reason: "closed")
        self.passFIN(to: side.other)
    }

    func failed(_ side: RelaySide, error: any Error) {
        self[side].hasFailed = true
        let isReset = [ECONNRESET, EPIPE].contains((error as? IOError)?.errnoCode)
        self.outcome.ended(by: side.closer, reason: isReset ? "reset" : plainDescription(of: error))
    }

    /// The channel of this side is closed: by us, by an error, or by its FIN when ours was out before.
    func becameInactive(_ side: RelaySide) {
        self[side].context = nil
        // A channel that closes without our doing, before it had our FIN, met an error while writing: the peer is gone.
        let wasReset = self[side].hasFailed || !(self[side].isClosing || self[side].outputIsDone)
        self.outcome.ended(by: side.closer, reason: wasReset ? "reset" : "closed")
        if self[side.other].context == nil {
            self.finish()
        } else if wasReset {
            self.reset(side.other)
        } else {
            self.closeAfterFlush(side.other)
        }
    }

    // MARK: Ending

    private func spend(_ side: RelaySide) {
        let bytes = self[side].unspent
        self[side].unspent = 0
        guard bytes > 0, let delay = self.limit?.spend(bytes, from: side), delay > .zero else { return }
        self[side].isPaused = true
        self.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self[side].isPaused = false
            self.readOn(side)
        }
    }

    private func readOn(_ side: RelaySide) {
        guard !self[side].isPaused, !self[side].inputIsClosed,
            self[side.other].context?.channel.isWritable == true
        else { return }
        self[side].context?.read()
    }

    private func passFIN(to side: RelaySide) {
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

    private func closeAfterFlush(_ side: RelaySide) {
        guard let context = self[side].context else { return }
        let flushed = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: flushed)
        flushed.futureResult.assumeIsolated().whenComplete { _ in
            self.close(side)
        }
    }

    private func close(_ side: RelaySide) {
        self[side].isClosing = true
        self[side].context?.close(promise: nil)
    }

    private func reset(_ side: RelaySide) {
        self[side].isClosing = true
        self[side].context?.channel.reset()
    }

    private func finish() {
        self.idleTimer?.cancel()
        self.record.end(self.outcome)
    }

    // MARK: Idle

    private var unsentBytes: Int {
        [self.client, self.origin].reduce(0) { sum, end in
            sum + (end.context?.channel.unsentBytes ?? 0)
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
                self.outcome.ended(by: .proxy, reason: "idle")
                // A peer that took nothing for so long will not take the rest: no flush to wait for.
                self.close(.client)
                self.close(.origin)
            }
        }
    }

    private subscript(side: RelaySide) -> End {
        get { side == .client ? self.client : self.origin }
        set {
            if side == .client { self.client = newValue } else { self.origin = newValue }
        }
    }
}
