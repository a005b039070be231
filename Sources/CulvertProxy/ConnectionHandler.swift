import CulvertTunnel
import Foundation
import HTTPTypes
import HTTPWire
import Logging
import NIOCore
import ProxyAuth

/// One client connection up to its tunnel: performs what the ``ConnectServerMachine`` asks for.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// Reading a head, deciding or dialling. Leaves on establish or a closing rejection.
        case negotiating
        /// The answer is out, the output closed; what still comes is thrown away. Leaves on EOF or its timer.
        case lingering(discarded: Int)
        /// The relay has the channel, or it is closed.
        case done
    }

    private let core: ProxyCore
    private var machine: ConnectServerMachine
    private var phase = Phase.negotiating
    private var entry = AccessLogEntry()
    private var headTime = NIODeadline.now()
    private var headTimer: Scheduled<Void>?
    private var dial: DialAttempt<Void>?
    private var receivedAnything = false

    /// A client that never reads its refusal is not waited for: 2 s are some round trips to anywhere.
    private static let lingerTime = TimeAmount.seconds(2)
    /// As much as a client may have under way before it sees the refusal.
    private static let lingerBytes = 256 * 1024

    init(_ core: ProxyCore) {
        self.core = core
        var limits = HTTPLimits.serving
        limits.maxHeadBytes = core.configuration.maxHeadBytes
        limits.maxLineBytes = min(limits.maxLineBytes, core.configuration.maxHeadBytes)
        self.machine = ConnectServerMachine(
            limits: limits, requiresAuthentication: core.configuration.users != nil)
    }

    // MARK: Events of the channel

    func channelActive(context: ChannelHandlerContext) {
        self.entry.client = context.remoteAddress.flatMap(ListenAddress.init)?.description ?? ""
        self.armHeadTimer(context: context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        switch self.phase {
        case .negotiating:
            self.receivedAnything = true
            self.perform(self.machine.receive(bytes), context: context)
        case .lingering(let discarded):
            self.phase = .lingering(discarded: discarded + bytes.readableBytes)
            if discarded + bytes.readableBytes > Self.lingerBytes { context.close(promise: nil) }
        case .done:
            context.fireChannelRead(data)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (event, self.phase) {
        case (ChannelEvent.inputClosed, .negotiating):
            self.perform(self.machine.receiveEOF(), context: context)
        case (ChannelEvent.inputClosed, .lingering):
            context.close(promise: nil)
        case (DrainEvent.begin, .negotiating) where !self.receivedAnything:
            context.close(promise: nil)
        case (DrainEvent.deadline, .negotiating):
            self.abandonDial(by: .proxy, reason: "the proxy is stopping")
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.headTimer?.cancel()
        self.abandonDial(by: .client, reason: "the client left before the tunnel stood")
        self.phase = .done
        context.fireChannelInactive()
    }

    private func abandonDial(by closer: AccessLogEntry.Closer, reason: String) {
        guard let dial else { return }
        self.dial = nil
        dial.cancel()
        self.entry.closedBy = closer
        self.entry.reason = reason
        self.log()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.core.logger.debug("client connection failed", metadata: ["error": "\(error)"])
        context.close(promise: nil)
    }

    // MARK: Actions of the machine

    private func perform(_ action: ConnectServerMachine.Action, context: ChannelHandlerContext) {
        switch action {
        case .needMore:
            break
        case .pauseReading:
            context.channel.setOption(.autoRead, value: false).whenComplete { _ in }
        case .authenticate(let head):
            self.headArrived(head)
            let user = self.core.configuration.users?.verify(authorization: head.fields[.proxyAuthorization])
            self.entry.user = user
            let next =
                user == nil
                ? self.machine.authenticationFailed(challenges: self.challenges)
                : self.machine.authenticated()
            self.perform(next, context: context)
        case .authorise(let target, let head):
            if self.entry.method.isEmpty { self.headArrived(head) }
            if let objection = self.core.objection(to: target) {
                self.perform(self.machine.denied(.forbidden(objection)), context: context)
            } else {
                self.perform(self.machine.authorised(), context: context)
            }
        case .dial(let target):
            self.startDial(target, context: context)
        case .establish:
            preconditionFailure("only a successful dial establishes, and that is handled where it succeeds")
        case .reject(let response, let rejection, let then):
            self.reject(response, rejection, then: then, context: context)
        case .close:
            self.phase = .done
            context.close(promise: nil)
        }
    }

    private var challenges: [String] {
        let realm = self.core.configuration.realm.filter { $0 != "\"" && $0 != "\\" }
        return ["Basic realm=\"\(realm)\", charset=\"UTF-8\""]
    }

    private func headArrived(_ head: RequestHead) {
        self.headTimer?.cancel()
        self.headTime = .now()
        self.entry.timestamp = Date().timeIntervalSince1970
        self.entry.method = head.method.rawValue
        self.entry.target = String(head.target.prefix(512))
    }

    private func startDial(_ target: Authority, context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        do {
            let plan = try self.core.plan(to: target)
            let dial = DialAttempt.start(plan, on: context.eventLoop) { origin in
                let (handler, context) = bound.value
                try handler.dialSucceeded(origin, context: context)
            }
            self.dial = dial
            dial.future.assumeIsolated().whenFailure { error in
                let (handler, context) = bound.value
                handler.dialFailed(error, context: context)
            }
        } catch {
            self.perform(self.machine.dialFailed(.init(error)), context: context)
        }
    }

    private func dialFailed(_ error: any Error, context: ChannelHandlerContext) {
        guard let dial else { return }
        self.dial = nil
        self.dialEnded(dial, error: error as? TunnelError)
        let rejection =
            (error as? TunnelError).map(ConnectServerMachine.Rejection.init)
            ?? .init(status: 502, reason: "\(error)", text: "the tunnel could not be opened", fields: [:])
        self.perform(self.machine.dialFailed(rejection), context: context)
    }

    // MARK: Tunnel

    private func dialSucceeded(_ origin: any Channel, context: ChannelHandlerContext) throws {
        guard case .negotiating = self.phase, context.channel.isActive, origin.isActive else {
            throw ChannelError.ioOnClosedChannel
        }
        let dial = self.dial
        self.dial = nil
        guard case .establish(let response, let early, let inputClosed) = self.machine.dialSucceeded() else {
            preconditionFailure("the machine dials once per request")
        }
        self.phase = .done
        self.entry.status = 200
        self.entry.isAllowed = true
        self.entry.reason = "open"
        self.entry.address = origin.remoteAddress.flatMap(ListenAddress.init)?.description
        self.dialEnded(dial, error: nil)
        let meter = self.core.metrics.tunnelOpened(self.entry, engine: "glue")

        let relay = GlueRelay(
            eventLoop: context.eventLoop, idleTimeout: TimeAmount(self.core.configuration.idleTimeout),
            meter: meter
        ) { outcome in self.tunnelEnded(outcome, meter) }
        for channel in [context.channel, origin] {
            try channel.syncOptions?.setOption(.autoRead, value: false)
        }
        self.core.registry.add(origin)
        try origin.pipeline.syncOperations.addHandler(RelayHandler(relay, side: .origin))
        try context.pipeline.syncOperations.addHandler(RelayHandler(relay, side: .client))

        // The answer first, then whatever the target already said; what the client sent early goes to the target.
        context.writeAndFlush(Self.wrapOutboundOut(response), promise: nil)
        if early.readableBytes > 0 {
            relay.received(early, from: .client)
            relay.readCompleted(.client)
        }
        if inputClosed { relay.inputClosed(.client) }
        relay.start()
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func tunnelEnded(_ outcome: GlueRelay.Outcome, _ meter: TunnelMeter) {
        self.entry.bytesUp = meter.bytesUp
        self.entry.bytesDown = meter.bytesDown
        self.entry.closedBy = outcome.closedBy
        self.entry.reason = outcome.reason
        self.core.metrics.tunnelEnded(meter)
        self.log()
    }

    /// Keeps how long the dial took, and what it showed of the parent.
    private func dialEnded(_ dial: DialAttempt<Void>?, error: TunnelError?) {
        let resolve = dial?.resolveTime ?? .zero
        let total = NIODeadline.now() - self.headTime
        self.entry.resolveMilliseconds = resolve.nanoseconds / 1_000_000
        self.entry.connectMilliseconds = total.nanoseconds / 1_000_000
        let parent = self.core.configuration.upstream.hops.first?.description
        self.entry.parent = parent
        self.core.metrics.dialled(
            nanoseconds: total.nanoseconds,
            resolveNanoseconds: resolve == .zero ? nil : resolve.nanoseconds)
        if let parent { self.core.metrics.used(parent: parent, error: error) }
    }

    // MARK: Refusal

    private func reject(
        _ response: ByteBuffer,
        _ rejection: ConnectServerMachine.Rejection,
        then: ConnectServerMachine.After,
        context: ChannelHandlerContext
    ) {
        self.headTimer?.cancel()
        if self.entry.method.isEmpty {
            if let head = self.machine.receivedHead {
                self.headArrived(head)
            } else {
                self.headTime = .now()
                self.entry.timestamp = Date().timeIntervalSince1970
            }
        }
        self.entry.status = rejection.status
        self.entry.reason = rejection.reason
        self.entry.isAllowed = false
        self.log()

        switch then {
        case .keepAlive where !self.core.draining:
            context.writeAndFlush(Self.wrapOutboundOut(response), promise: nil)
            self.entry = AccessLogEntry()
            self.entry.client = context.remoteAddress.flatMap(ListenAddress.init)?.description ?? ""
            self.receivedAnything = false
            self.armHeadTimer(context: context)
            // The next request may already wait behind the refused one.
            self.perform(self.machine.receive(ByteBuffer()), context: context)
        case .keepAlive, .close:
            self.linger(after: response, context: context)
        }
    }

    /// Closing with unread input would make the kernel send RST, which can destroy the answer on its way. So only
    /// the output closes, and the input is read until the client has seen the answer.
    private func linger(after response: ByteBuffer, context: ChannelHandlerContext) {
        self.phase = .lingering(discarded: 0)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(Self.wrapOutboundOut(response), promise: written)
        written.futureResult.whenComplete { _ in bound.value.close(mode: .output, promise: nil) }
        context.channel.setOption(.autoRead, value: true).whenComplete { _ in }
        self.headTimer = context.eventLoop.scheduleTask(in: Self.lingerTime) {
            bound.value.close(promise: nil)
        }
    }

    private func armHeadTimer(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        self.headTimer = context.eventLoop.scheduleTask(in: TimeAmount(self.core.configuration.headTimeout)) {
            let (handler, context) = bound.value
            guard case .negotiating = handler.phase else { return }
            handler.perform(handler.machine.headDeadlineExpired(), context: context)
        }
    }

    private func log() {
        self.entry.milliseconds = (NIODeadline.now() - self.headTime).nanoseconds / 1_000_000
        self.core.record(self.entry)
    }
}

extension ConnectServerMachine.Rejection {
    fileprivate static func forbidden(_ reason: String) -> Self {
        .init(
            status: 403, reason: reason, text: "the proxy's rules forbid this target: \(reason)", fields: [:])
    }
}
