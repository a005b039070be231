import NIOCore

/// What is kept of a tunnel while it is open, and told when it has ended: its meter and its line of the access log.
final class TunnelRecord: Sendable {
    private let core: ProxyCore
    private let start: NIODeadline
    private let meter: TunnelMeter
    private let leavesChannels: Bool
    private let permit: ClientPermit?

    /// - Parameters:
    ///   - entry: what is known of the request.
    ///   - permit: the client's, kept until the end.
    ///   - start: when its head was complete.
    ///   - engine: what moves the bytes.
    init(
        _ core: ProxyCore, entry: AccessLogEntry, permit: ClientPermit? = nil, since start: NIODeadline,
        engine: any RelayEngine
    ) {
        self.core = core
        self.start = start
        self.meter = core.metrics.tunnelOpened(entry, engine: engine.name)
        self.leavesChannels = engine.leavesChannels
        self.permit = permit
        permit?.keep()
        if self.leavesChannels { core.metrics.connectionKept() }
    }

    func count(_ bytes: Int, from side: RelaySide) {
        self.meter.add(bytes, from: side)
    }

    /// Both connections are closed.
    func end(_ outcome: RelayOutcome) {
        var entry = self.meter.entry
        entry.bytesUp = self.meter.bytesUp
        entry.bytesDown = self.meter.bytesDown
        entry.closedBy = outcome.closedBy ?? .proxy
        entry.reason = outcome.reason
        entry.milliseconds = (NIODeadline.now() - self.start).nanoseconds / 1_000_000
        if self.leavesChannels { self.core.metrics.connectionClosed() }
        self.permit?.release()
        self.core.record(entry, meter: self.meter)
    }
}
