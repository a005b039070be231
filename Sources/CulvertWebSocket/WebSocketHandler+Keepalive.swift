import NIOCore
import WebSocketWire

/// Pings at idle.
extension WebSocketHandler {
    func startKeepalive() {
        guard let settings = self.settings.keepalive, let context else { return }
        let keepalive = Keepalive(
            interval: settings.interval, timeout: settings.timeout, now: Self.now(context))
        self.keepalive = keepalive
        self.scheduleKeepalive(at: keepalive.firstLook)
    }

    func heardFromPeer() {
        guard let context else { return }
        self.keepalive?.heard(at: Self.now(context))
    }

    private static func now(_ context: ChannelHandlerContext) -> Duration {
        .nanoseconds(Int64(clamping: context.eventLoop.now.uptimeNanoseconds))
    }

    private func scheduleKeepalive(at instant: Duration) {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let delay = TimeAmount(max(.zero, instant - Self.now(context)))
        self.keepaliveTask = context.eventLoop.scheduleTask(in: delay) { bound.value.keepaliveFired() }
    }

    private func keepaliveFired() {
        // Behind a close frame, either side's, the close timeout watches.
        guard !self.isOver, self.machine.isOpen, !self.machine.holdsEnd, let context else { return }
        let unsent = self.unsentBytes
        if self.isReadingPaused || unsent < self.unsentAtKeepalive { self.heardFromPeer() }
        self.unsentAtKeepalive = unsent
        switch self.keepalive?.timerFired(at: Self.now(context)) {
        case .wait(let instant):
            self.scheduleKeepalive(at: instant)
        case .ping(let instant):
            self.ping(PingTicket())
            self.scheduleKeepalive(at: instant)
        case .giveUp:
            self.giveUp()
        case nil:
            break
        }
    }

    private func giveUp() {
        let timeout = self.settings.keepalive?.timeout ?? .zero
        let reason = "no answer to a ping within \(timeout)"
        _ = self.close(.internalError, reason: reason, timeout: .seconds(1))
        self.end(
            .failed(.keepaliveTimedOut(after: timeout)),
            close: WebSocketClose(code: .abnormalClosure, reason: reason))
    }
}
