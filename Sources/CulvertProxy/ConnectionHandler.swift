import CulvertTunnel
import HTTPTypes
import HTTPWire
import Logging
import NIOCore
import PortWire
import ProxyAuth
import ProxyPolicy
import SOCKSWire

/// One client connection up to its tunnel, by HTTP or SOCKS: performs what its ``ClientMachine`` asks for, and leaves
/// forwarded requests to a ``ForwardHandler``.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Reading a head, deciding or dialling. Leaves on establish or a closing rejection.
        case negotiating
        /// A request is passed on; the client's bytes are the forward handler's. Leaves when it ends.
        case forwarding(ForwardHandler)
        /// The answer is out, the output closed; what still comes is thrown away. Leaves on EOF or its timer.
        case lingering(discarded: Int)
        /// The relay has the channel, or it is closed.
        case done
    }

    let core: ProxyCore
    let client: ConnectedClient
    /// Most connections of a proxy without users need none.
    private lazy var authentication = ClientAuthentication()
    var machine: ClientMachine
    var phase = Phase.negotiating
    var request: ProxyRequest
    var timer: DeadlineTimer?
    var forwarder: ForwardHandler?
    /// What the machine asked for while another action was being performed.
    private var nextAction: ConnectServerMachine.Action?
    private var isPerforming = false
    private var inputIsClosed = false
    private var unsentBefore = 0
    private var dial: DialAttempt<Void>?
    private var receivedAnything = false
    /// What became of the first request before the connection came here.
    private var begun: BegunRequest?
    /// What the limits say to this connection.
    let permit: ClientPermit
    /// The client's limits know of the request under way.
    var isCharged = false
    /// Runs while the bandwidth's debt is paid, before the target is dialled.
    var delay: Scheduled<Void>?

    var entry: AccessLogEntry {
        _read { yield self.request.entry }
        _modify { yield &self.request.entry }
    }

    /// Of the request under way, once it named a target.
    var judgement: Judgement? { self.request.judgement }

    /// A client that never reads its refusal is not waited for: 2 s are some round trips to anywhere.
    private static let lingerTime = TimeAmount.seconds(2)
    /// As much as a client may have under way before it sees the refusal.
    private static let lingerBytes = 256 * 1024

    /// - Parameter language: what the client speaks: HTTP or SOCKS.
    init(
        _ core: ProxyCore, client: ConnectedClient, permit: ClientPermit,
        speaking language: ConnectionProtocol
    ) {
        self.core = core
        self.client = client
        self.permit = permit
        self.request = ProxyRequest(client: client)
        var socks: SOCKSServerMachine?
        if language == .socks {
            socks = SOCKSServerMachine(requiresAuthentication: core.authenticator(for: client) != nil)
        }
        self.machine = ClientMachine(ConnectServerMachine(core), socks: socks)
    }

    /// For a connection whose first request was judged elsewhere, and is to be answered here.
    init(_ core: ProxyCore, permit: ClientPermit, answering begun: BegunRequest) {
        self.core = core
        self.client = begun.request.client
        self.permit = permit
        self.request = begun.request
        self.machine = ClientMachine(begun.machine)
        self.isCharged = true
        self.begun = begun
    }

    // MARK: Events of the channel

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        self.timer = DeadlineTimer(on: context.eventLoop) {
            let (handler, context) = bound.value
            handler.timerFired(context: context)
        }
        self.timer?.set(in: self.permit.headTime(self.core.configuration))
        context.fireChannelActive()
        if let begun { self.answer(begun, context: context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        switch self.phase {
        case .negotiating:
            if !self.receivedAnything {
                self.receivedAnything = true
                self.timer?.set(in: self.permit.headTime(self.core.configuration))
            }
            self.perform(self.machine.receive(bytes), context: context)
        case .forwarding(let forwarder):
            forwarder.clientReceived(bytes)
        case .lingering(let discarded):
            self.phase = .lingering(discarded: discarded + bytes.readableBytes)
            if discarded + bytes.readableBytes > Self.lingerBytes { context.close(promise: nil) }
        case .done:
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .forwarding(let forwarder) = self.phase { forwarder.clientReadCompleted() }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .forwarding(let forwarder) = self.phase { forwarder.clientWritabilityChanged() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { self.inputIsClosed = true }
        switch (event, self.phase) {
        case (ChannelEvent.inputClosed, .forwarding(let forwarder)):
            forwarder.clientClosed()
        case (DrainEvent.deadline, .forwarding):
            self.abandonForward(by: .proxy, reason: "the proxy is stopping")
            context.close(promise: nil)
        case (ChannelEvent.inputClosed, .negotiating):
            self.perform(self.machine.receiveEOF(), context: context)
        case (ChannelEvent.inputClosed, .lingering):
            context.close(promise: nil)
        case (DrainEvent.begin, .negotiating) where !self.receivedAnything:
            // What was sent before the stop is answered.
            if !context.channel.hasUnread { context.close(promise: nil) }
        case (DrainEvent.deadline, .negotiating):
            self.abandonDial(by: .proxy, reason: "the proxy is stopping")
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.timer?.invalidate()
        self.abandonForward(by: .client, reason: "the client left before the answer was complete")
        self.abandonDial(by: .client, reason: "the client left before the tunnel stood")
        self.forwarder = nil
        self.phase = .done
        context.fireChannelInactive()
    }

    private func abandonDial(by closer: AccessLogEntry.Closer, reason: String) {
        guard self.dial != nil || self.delay != nil else { return }
        self.dial?.cancel()
        self.dial = nil
        self.delay?.cancel()
        self.delay = nil
        self.request.end(by: closer, reason: reason, in: self.core)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.core.logger.debug("client connection failed", metadata: ["error": "\(error)"])
        context.close(promise: nil)
    }

    // MARK: Actions of the machine

    /// An action can bring the next one about at once, any number of pipelined requests long: one after the other, never
    /// one inside the other.
    func perform(_ action: ConnectServerMachine.Action, context: ChannelHandlerContext) {
        self.nextAction = action
        guard !self.isPerforming else { return }
        self.isPerforming = true
        while let action = self.nextAction {
            self.nextAction = nil
            self.performOne(action, context: context)
        }
        self.isPerforming = false
    }

    private func performOne(_ action: ConnectServerMachine.Action, context: ChannelHandlerContext) {
        if let bytes = self.machine.takeOutput() {
            context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: nil)
        }
        switch action {
        case .needMore:
            break
        case .pauseReading:
            context.channel.setOption(.autoRead, value: false).whenComplete { _ in }
        case .authenticate(let head):
            self.headArrived(head)
            if let excess = self.clientExcess() {
                self.refuse(excess, context: context)
            } else {
                self.authenticate(head, context: context)
            }
        case .authorise(let target, let head):
            if self.entry.target.isEmpty { self.headArrived(head) }
            let judgement = self.request.judge(head, target: target, by: self.core)
            if let refusal = self.core.refusal(ofUser: self.entry.user) {
                self.perform(self.machine.denied(refusal), context: context)
            } else if let excess = self.clientExcess() ?? self.userExcess() {
                self.refuse(excess, context: context)
            } else if let denial = judgement.denial {
                self.entry.rule = denial.rule
                self.perform(self.machine.denied(.forbidden(denial)), context: context)
            } else {
                self.goOnceBandwidthIsPaid(context: context)
            }
        case .dial:
            self.startDial(context: context)
        case .forward(let request, let early, let inputClosed):
            self.forward(request, early: early, inputClosed: inputClosed, context: context)
        case .establish:
            preconditionFailure("only a successful dial establishes, and that is handled where it succeeds")
        case .reject(let response, let rejection, let then):
            self.reject(response, rejection, then: then, context: context)
        case .linger:
            self.linger(after: ByteBuffer(), context: context)
        case .close:
            self.phase = .done
            context.close(promise: nil)
        }
    }

    private func authenticate(_ head: RequestHead, context: ChannelHandlerContext) {
        guard let authenticator = self.core.authenticator(for: self.client) else {
            return self.perform(self.machine.authenticated(), context: context)
        }
        let outcome = self.authentication.outcome(of: head, by: authenticator, on: context.eventLoop)
        outcome.assumeIsolated().whenSuccess { outcome in
            // A slow hash takes its time: the client may be gone.
            guard case .negotiating = self.phase else { return }
            switch outcome {
            case .user(let user):
                self.entry.user = user
                self.perform(self.machine.authenticated(), context: context)
            case .unknown:
                let challenges = authenticator.challenges()
                self.perform(self.machine.authenticationFailed(challenges: challenges), context: context)
            case .challenge(let challenges):
                self.perform(self.machine.authenticationFailed(challenges: challenges), context: context)
            case .overloaded:
                self.perform(self.machine.denied(.overloaded), context: context)
            }
        }
    }

    private func headArrived(_ head: RequestHead) {
        // The credentials of SOCKS come before its request: the time for it runs on.
        if !head.target.isEmpty { self.timer?.clear() }
        self.request.headArrived(head)
    }

    private func startDial(context: ChannelHandlerContext) {
        guard let judgement else { preconditionFailure("the machine dials what it had authorised") }
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        do {
            var plan = try self.core.plan(for: judgement)
            if plan.mayUseProxies { plan.connectFields.append(contentsOf: self.via) }
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
            self.perform(self.machine.dialFailed(error), context: context)
        }
    }

    /// Tells a parent which proxies the request came through, so that a loop through several of them ends.
    private var via: [HTTPField] {
        // What came by SOCKS goes on as HTTP/1.1.
        let head = self.machine.receivedHead
        let member = Via.member(minorVersion: head?.minorVersion ?? 1, self.core.forwarding.pseudonym)
        let before: [HTTPField] = head?.fields[fields: .via] ?? []
        return before + [HTTPField(name: .via, value: member)]
    }

    private func answer(_ begun: BegunRequest, context: ChannelHandlerContext) {
        self.begun = nil
        switch begun.obstacle {
        case .dialFailed(let error):
            self.dialEnded(nil, error: error)
            self.perform(self.machine.dialFailed(error), context: context)
        case .toBeDialledAgain:
            self.timer?.clear()
            self.startDial(context: context)
        case .beyond(let excess):
            self.refuse(excess, context: context)
        case .toBeForwarded(let forward):
            self.timer?.clear()
            self.forward(forward, early: ByteBuffer(), inputClosed: false, context: context)
        case .unanswered(let rejection, let mayPersist):
            let action = self.machine.exchangeRefused(
                rejection, leftover: ByteBuffer(), inputClosed: false, mayPersist: mayPersist)
            self.perform(action, context: context)
        case .answered:
            self.linger(after: ByteBuffer(), context: context)
        }
    }

    private func dialFailed(_ error: any Error, context: ChannelHandlerContext) {
        guard let dial else { return }
        self.dial = nil
        self.dialEnded(dial, error: error as? TunnelError)
        if (error as? TunnelError)?.code == .forbidden { self.entry.rule = self.judgement?.denial?.rule }
        let known = (error as? TunnelError) ?? .lost(error)
        self.perform(self.machine.dialFailed(known), context: context)
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
        self.request.opened(
            at: origin.remoteAddress.flatMap(ListenAddress.init),
            isDirect: dial?.plan.route.hops.isEmpty ?? true)
        self.dialEnded(dial, error: nil)
        try self.handOver(
            origin, response: response, early: early, inputClosed: inputClosed, context: context)
    }

    /// Leaves both channels to a relay.
    func handOver(
        _ origin: any Channel, response: ByteBuffer, early: ByteBuffer, inputClosed: Bool,
        context: ChannelHandlerContext
    ) throws {
        self.phase = .done
        self.timer?.invalidate()
        // It refers to this handler: an upgraded connection has no more requests to forward.
        self.forwarder?.abandon()
        self.forwarder = nil
        self.request.becameTunnel()
        let tunnel = Tunnel(
            client: context.channel, origin: origin, response: response, early: early,
            clientHasFinished: inputClosed, idleTimeout: TimeAmount(self.core.configuration.idleTimeout),
            limit: self.bandwidth, permit: self.permit)
        try self.core.relay(tunnel, entry: self.entry, since: self.request.start)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// Keeps how long the dial took, and what it showed of the parent.
    private func dialEnded(_ dial: DialAttempt<Void>?, error: TunnelError?) {
        let parent = dial?.plan.route.hops.first?.description
        self.request.dialEnded(
            resolveTime: dial?.resolveTime ?? .zero, parent: parent, metrics: self.core.metrics)
        if let parent { self.core.metrics.used(parent: parent, error: error) }
    }

    // MARK: Refusal

    private func reject(
        _ response: ByteBuffer,
        _ rejection: ConnectServerMachine.Rejection,
        then: ConnectServerMachine.After,
        context: ChannelHandlerContext
    ) {
        self.timer?.clear()
        if self.entry.method.isEmpty {
            if let head = self.machine.receivedHead {
                self.headArrived(head)
            } else {
                self.request.cameWithoutHead()
            }
        }
        self.entry.status = rejection.status
        self.entry.reason = rejection.reason
        self.entry.isAllowed = rejection.status < 400
        self.log()

        switch then {
        case .keepAlive where !self.core.draining:
            context.writeAndFlush(Self.wrapOutboundOut(response), promise: nil)
            self.awaitNextRequest(context: context)
            // The next request may already wait behind the refused one.
            self.perform(self.machine.refusalSent(inputClosed: self.inputIsClosed), context: context)
        case .keepAlive, .close:
            self.linger(after: response, context: context)
        }
    }

    /// Closing with unread input would make the kernel send RST, which can destroy the answer on its way. So only
    /// the output closes, and the input is read until the client has seen the answer.
    private func linger(after response: ByteBuffer, context: ChannelHandlerContext) {
        self.phase = .lingering(discarded: 0)
        context.channel.setOption(.autoRead, value: true).whenComplete { _ in }
        self.afterWriting(response, context: context) {
            self.timer?.set(in: Self.lingerTime)
            // Where the client's end came before, nothing is left to wait for.
            if self.inputIsClosed {
                context.close(promise: nil)
            } else {
                context.close(mode: .output, promise: nil)
            }
        }
    }

    /// A slow reader has its time for the rest of an answer.
    func afterWriting(
        _ bytes: ByteBuffer, context: ChannelHandlerContext, _ body: @escaping () -> Void
    ) {
        self.timer?.set(in: TimeAmount(self.core.configuration.idleTimeout))
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: written)
        written.futureResult.assumeIsolated().whenComplete { _ in body() }
    }

    private func timerFired(context: ChannelHandlerContext) {
        switch self.phase {
        case .negotiating where self.isStillSending(context: context):
            self.timer?.set(in: TimeAmount(self.core.snapshot.configuration.forwarding.keepAliveTimeout))
        case .negotiating:
            self.perform(self.machine.headDeadlineExpired(), context: context)
        case .forwarding(let forwarder): forwarder.timerFired()
        case .lingering: context.close(promise: nil)
        case .done: break
        }
    }

    /// The last answer still goes out to a slow reader, who cannot be expected to ask for the next.
    private func isStillSending(context: ChannelHandlerContext) -> Bool {
        let unsent = context.channel.unsentBytes
        defer { self.unsentBefore = unsent }
        return unsent > 0 && unsent != self.unsentBefore
    }

    func awaitNextRequest(context: ChannelHandlerContext) {
        self.phase = .negotiating
        self.request = ProxyRequest(after: self.request)
        self.receivedAnything = false
        self.isCharged = false
        self.timer?.set(in: TimeAmount(self.core.snapshot.configuration.forwarding.keepAliveTimeout))
    }

    func log() {
        self.request.end(in: self.core)
    }
}

extension ConnectServerMachine {
    /// For a client of this proxy, under the configuration that counts now.
    init(_ core: ProxyCore) {
        // Not its configuration in a variable: that would copy the whole.
        let snapshot = core.snapshot
        var limits = HTTPLimits.serving
        limits.maxHeadBytes = snapshot.configuration.maxHeadBytes
        limits.maxLineBytes = min(limits.maxLineBytes, limits.maxHeadBytes)
        self.init(
            // Whether anybody must say who they are is asked anew for each request: it can change by a reload.
            limits: limits, requiresAuthentication: true, pseudonym: core.forwarding.pseudonym,
            forwards: snapshot.configuration.forwarding.isEnabled)
    }
}

extension ConnectServerMachine.Rejection {
    /// More passwords wait to be checked than can be; a few seconds settle that.
    fileprivate static let overloaded = Self(
        status: 503, reason: "too many passwords to check",
        text: "the proxy has too many passwords to check; try again", fields: [.retryAfter: "5"])

    fileprivate static func forbidden(_ denial: AccessDecision) -> Self {
        .init(
            status: 403, reason: denial.reason,
            text: "the proxy's rules forbid this target: \(denial.reason)", fields: [:])
    }
}
