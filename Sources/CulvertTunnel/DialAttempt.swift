import HTTPTypes
import HTTPWire
package import NIOCore
import NIOPosix
import NIOSSL
import ProxyAuth
import ProxyRoutes

/// Opens one tunnel: TCP, then the plan's steps one after the other, then the caller's handlers, all on one
/// event loop and with nothing asynchronous between a step's last byte and the next step's handlers.
///
/// `@unchecked Sendable`: every stored property but the `let`s is touched on `eventLoop` only.
package final class DialAttempt<Output: Sendable>: @unchecked Sendable {
    /// With the route that is tried at the time.
    package internal(set) var plan: DialPlan
    let eventLoop: any EventLoop
    private let promise: EventLoopPromise<Output>
    private let configure: @Sendable (any Channel) throws -> Output

    var channel: (any Channel)?
    /// Channels that race for the first connection, to be closed when the attempt is given up.
    var connecting: [any Channel] = []
    /// How many connections were given up: what still comes of those means nothing to the next one.
    var droppedConnections = 0
    var resolver: AddressResolver?
    private(set) var phase = TunnelError.Phase.resolve
    /// What name lookups took so far. For the event loop only.
    package var resolveTime = TimeAmount.zero
    private var timeline = TunnelTimeline()
    private var remaining: ArraySlice<DialStep> = []
    /// By the index of the hop.
    var authentications: [Int: HopAuthentication] = [:]
    var connectHandler: ConnectHandler?
    /// The hop whose 407 was answered on the connection it came on.
    private var retriedHop: Int?
    /// The proxy closed the connection while the answer to its 407 was being made.
    private var hasLostChallenged = false
    private var isAnswering = false
    /// The TLS with the hop that is being built, for the schemes that bind to it.
    private var hopTLSHandler: NIOSSLClientHandler?
    private var deadline: Scheduled<Void>?
    /// Over the first connection alone, while there are alternatives.
    var connectDeadline: Scheduled<Void>?
    private(set) var isOutOfTime = false
    /// Of the routes that were tried before.
    var failures: [String] = []
    private(set) var isFinished = false
    /// What this side looked up for `socks5` hops, by the hop's index: the first is asked for, the others are left.
    var addressesForSOCKS: [Int: [IPAddress]] = [:]

    /// The configured channel's output, or a ``TunnelError``.
    package var future: EventLoopFuture<Output> { self.promise.futureResult }

    /// Starts at once.
    ///
    /// - Parameters:
    ///   - isCancelled: it was given up before it began, and reaches nobody.
    ///   - configure: adds the caller's handlers to the channel, on its event loop; bytes the target sent early arrive
    ///     there right after.
    package static func start(
        _ plan: DialPlan,
        on eventLoop: any EventLoop,
        isCancelled: Bool = false,
        configure: @escaping @Sendable (any Channel) throws -> Output
    ) -> DialAttempt {
        let attempt = DialAttempt(plan, eventLoop: eventLoop, configure: configure)
        let begin = { @Sendable in isCancelled ? attempt.cancelBeforeBegin() : attempt.begin() }
        if eventLoop.inEventLoop { begin() } else { eventLoop.execute(begin) }
        return attempt
    }

    private init(
        _ plan: DialPlan,
        eventLoop: any EventLoop,
        configure: @escaping @Sendable (any Channel) throws -> Output
    ) {
        self.plan = plan
        self.eventLoop = eventLoop
        self.promise = eventLoop.makePromise()
        self.configure = configure
    }

    /// Gives up; the future fails with ``TunnelError/Code/cancelled``. Without effect once it is complete.
    package func cancel() {
        self.eventLoop.execute { self.failAsCancelled() }
    }

    private func failAsCancelled() {
        self.fail(self.error(.cancelled, .cancellation, "the connection attempt was cancelled"))
    }

    private func cancelBeforeBegin() {
        // The caller's own is closed as if it had been used.
        if case .channel(let channel) = self.plan.transport { self.channel = channel }
        self.failAsCancelled()
    }

    private func begin() {
        self.deadline = self.eventLoop.scheduleTask(in: self.plan.timeout) { self.timedOut() }
        if let choose = self.plan.choose { self.choose(choose) } else { self.checkTarget() }
    }

    /// The check of a target that a proxy will dial.
    func checkTarget() {
        guard self.plan.checksTargetBeforeParent, let filter = self.plan.filter,
            self.plan.isTargetResolvedByProxy, case .name = self.plan.target.host
        else { return self.lookUpForSOCKS() }
        let asked = NIODeadline.now()
        TargetCheck.run(
            self.plan.target, names: self.plan.names, on: self.eventLoop, filter: filter
        ).whenComplete { result in
            self.resolveTime = self.resolveTime + (.now() - asked)
            guard !self.isFinished else { return }
            switch result {
            case .success: self.lookUpForSOCKS()
            case .failure(let error as TunnelError): self.fail(error)
            case .failure(let error): self.fail(self.error(.nameNotResolved, .network, "\(error)"))
            }
        }
    }

    func enter(_ phase: TunnelError.Phase) {
        if phase != self.phase || self.timeline.isEmpty {
            self.timeline.enter(phase, at: self.eventLoop.now)
            self.plan.onTrace?(.entered(phase))
        }
        self.phase = phase
    }

    // MARK: TCP

    func connect() {
        self.remaining = self.plan.steps[...]
        self.limitConnect()
        switch self.plan.transport {
        case .network:
            self.connectTCP()
        case .unixSocket(let path):
            self.enter(.connect)
            self.bootstrap().connect(unixDomainSocketPath: path).whenComplete { result in
                self.connected(result.mapError { UnixSocketUnreachable(path: path, error: $0) })
            }
        case .channel(let channel):
            self.enter(.connect)
            try? channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
            self.connected(.success(channel))
        }
    }

    private func bootstrap() -> ClientBootstrap {
        ClientBootstrap(group: self.eventLoop)
            // The deadline over everything is shorter; this one only must not fire first.
            .connectTimeout(self.plan.timeout + .seconds(1))
            .channelInitializer { channel in
                self.connecting.append(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .channelOption(.allowRemoteHalfClosure, value: true)
    }

    private func connectTCP() {
        let peer = self.plan.firstPeer
        let bootstrap = self.bootstrap().channelOption(.tcpOption(.tcp_nodelay), value: 1)
        let filter = self.plan.route.hops.isEmpty ? self.plan.filter : nil
        switch peer.host {
        case .name(let name):
            self.enter(.resolve)
            let resolver = AddressResolver(
                eventLoop: self.eventLoop, names: self.plan.names, filter: filter)
            self.resolver = resolver
            let asked = NIODeadline.now()
            resolver.answer.whenSuccess { _ in
                self.resolveTime = self.resolveTime + (.now() - asked)
                if self.phase == .resolve { self.enter(.connect) }
            }
            bootstrap.resolver(resolver).connect(host: name, port: Int(peer.port)).whenComplete(
                self.unlessDropped(self.connected))
        case .address(let address):
            self.enter(.connect)
            if let objection = filter?(address, peer.port) {
                return self.fail(self.error(.forbidden, .policy, objection))
            }
            do {
                let socketAddress = try SocketAddress(ipAddress: address.description, port: Int(peer.port))
                bootstrap.connect(to: socketAddress).whenComplete(self.unlessDropped(self.connected))
            } catch {
                self.fail(self.error(.connectionFailed, .network, "\(peer): \(error)", underlying: error))
            }
        }
    }

    /// For the end of a connection's beginning: it comes, as a failure, also when the connection is given up for another.
    private func unlessDropped(
        _ body: @escaping @Sendable (Result<any Channel, any Error>) -> Void
    ) -> @Sendable (Result<any Channel, any Error>) -> Void {
        let dropped = self.droppedConnections
        return { result in
            if dropped == self.droppedConnections { return body(result) }
            if case .success(let channel) = result { channel.close(promise: nil) }
        }
    }

    @Sendable
    private func connected(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            guard !self.isFinished else { return channel.close(promise: nil) }
            self.channel = channel
            self.connecting = []
            self.resolver = nil
            self.connectDeadline?.cancel()
            self.enter(.connect)
            self.runNextStep()
        case .failure(let error):
            self.plan.names.forget(self.plan.firstPeer.host)
            self.fail(DialErrors.connect(error, peer: self.plan.firstPeer))
        }
    }

    // MARK: Steps

    func runNextStep() {
        guard let channel, !self.isFinished else { return }
        do {
            switch self.remaining.popFirst() {
            case .proxyTLS(let index):
                let hop = self.plan.route.hops[index]
                guard let tls = self.plan.hopTLS[index] else {
                    preconditionFailure("a plan prepares TLS for every https hop")
                }
                self.enter(.proxyTLS(hop))
                self.hopTLSHandler = try self.startTLS(
                    tls, host: hop.authority.host, fault: .proxy, on: channel)
                try channel.pipeline.syncOperations.addHandler(UncleanShutdownFilter())
            case .connect(let index, let target):
                self.enter(.proxyConnect(self.plan.route.hops[index]))
                try self.startConnect(hop: index, target: target, on: channel)
            case .socks(let index, let target):
                self.enter(.proxyConnect(self.plan.route.hops[index]))
                try self.startSOCKS(hop: index, target: target, on: channel)
            case .targetTLS(let tls):
                self.enter(.targetTLS)
                _ = try self.startTLS(tls, host: self.plan.target.host, fault: .target, on: channel)
            case nil:
                self.timeline.enter(nil, at: self.eventLoop.now)
                self.plan.onOpen?(self.timeline, self.plan.route)
                if let proxy = self.plan.route.hops.first { self.plan.health?.reached(proxy) }
                let output = try self.configure(channel)
                self.isFinished = true
                self.deadline?.cancel()
                self.promise.succeed(output)
            }
        } catch {
            self.fail(self.error(.connectionClosed, .network, "\(error)", underlying: error))
        }
    }

    private func startTLS(
        _ tls: PreparedTLS,
        host: Authority.Host,
        fault: TunnelError.Fault,
        on channel: any Channel
    ) throws -> NIOSSLClientHandler {
        let handler = try NIOSSLClientHandler(context: tls.context, serverHostname: tls.serverName)
        let waiter = TLSHandshakeHandler(tls: handler, expected: tls) { result in
            switch result {
            case .success: self.runNextStep()
            case .failure(let error): self.fail(self.tlsError(error, host: host, fault: fault))
            }
        }
        // The waiter first: the TLS handler starts its handshake as it is added, and may fail at once.
        try channel.pipeline.syncOperations.addHandler(waiter)
        try channel.pipeline.syncOperations.addHandler(handler, position: .before(waiter))
        return handler
    }

    private func startConnect(hop index: Int, target: Authority, on channel: any Channel) throws {
        // Fields may hold what is meant for one proxy: the first, whom the caller configured.
        let fields = index == 0 ? self.plan.connectFields : [:]
        let request = ProxyAuthenticator.Request(method: "CONNECT", target: "\(target)")
        self.authentication(index).begin(request, binding: self.channelBinding(index)) { authorization in
            guard !self.isFinished, channel === self.channel else { return }
            self.traceAnswer(authorization, hop: index)
            let machine = ConnectClientMachine(target: target, fields: fields)
            let handler = ConnectHandler(machine: machine, authorization: authorization) { outcome in
                // What a connection says that was given up is nobody's concern.
                guard channel === self.channel else { return .giveUp }
                return self.connectEnded(outcome, hop: index, request)
            }
            self.connectHandler = handler
            do {
                try channel.pipeline.syncOperations.addHandler(handler)
            } catch {
                self.fail(self.error(.connectionClosed, .network, "\(error)", underlying: error))
            }
        }
    }

    private func authentication(_ index: Int) -> HopAuthentication {
        if let authentication = self.authentications[index] { return authentication }
        let authentication = HopAuthentication(
            self.plan.route.hops[index], options: self.plan.authentication, store: self.plan.authStore,
            on: self.eventLoop)
        self.authentications[index] = authentication
        return authentication
    }

    private func channelBinding(_ index: Int) -> ChannelBinding? {
        self.plan.hopTLS[index] == nil ? nil : self.hopTLSHandler.flatMap(ChannelBinding.init)
    }

    private func connectEnded(
        _ outcome: ConnectHandler.Outcome, hop index: Int, _ request: ProxyAuthenticator.Request
    ) -> ConnectHandler.Reply {
        guard !self.isFinished else { return .giveUp }
        let hop = self.plan.route.hops[index]
        switch outcome {
        case .established:
            self.authentication(index).succeeded()
            self.connectHandler = nil
            self.runNextStep()
        case .challenged(let refusal, let values, let keepsConnection):
            return self.challenged(refusal, values, keepsConnection: keepsConnection, hop: index, request)
        case .refused(let refusal):
            self.fail(self.refusedError(ProxyRefusal(refusal), hop: hop))
        case .failed(.closed(afterBytes: 0)) where self.isAnswering:
            self.hasLostChallenged = true
        case .failed(.closed(afterBytes: 0)) where self.retriedHop == index:
            // It promised to keep the connection behind its 407, and did not: the answer rides on a new one.
            self.retriedHop = nil
            self.carryOver(hop: index)
        case .failed(let failure):
            self.fail(self.malformedAnswerError(failure))
        case .connectionLost(let error):
            self.fail(
                self.error(
                    .connectionClosed, .proxy, "the connection was lost before the proxy answered: \(error)",
                    underlying: error))
        }
        return .giveUp
    }

    private func challenged(
        _ refusal: ConnectRefusal,
        _ values: [String],
        keepsConnection: Bool,
        hop index: Int,
        _ request: ProxyAuthenticator.Request
    ) -> ConnectHandler.Reply {
        let challenges = Challenge.parse(values)
        self.plan.onTrace?(.challenged(self.plan.route.hops[index], challenges))
        self.isAnswering = keepsConnection
        self.hasLostChallenged = false
        self.authentication(index).challenged(
            challenges, request: request, keepsConnection: keepsConnection
        ) { reply in
            self.isAnswering = false
            guard !self.isFinished else { return }
            self.answer(reply, hop: index, ProxyRefusal(refusal, challenges: challenges))
        }
        return keepsConnection && !self.isFinished ? .wait : .giveUp
    }

    private func answer(_ reply: HopAuthentication.Reply, hop index: Int, _ refusal: ProxyRefusal) {
        switch reply {
        case .retry where self.hasLostChallenged:
            self.carryOver(hop: index)
        case .retry(let value):
            self.retriedHop = index
            self.traceAnswer(value, hop: index)
            self.connectHandler?.retry(value)
        case .reconnect:
            self.reconnect()
        case .fail(let failure):
            self.fail(self.authenticationError(failure, refusal))
        }
    }

    /// The scheme alone: what stands behind it is a secret.
    private func traceAnswer(_ authorization: String?, hop index: Int) {
        guard let authorization, let onTrace = self.plan.onTrace else { return }
        onTrace(.answered(self.plan.route.hops[index], scheme: String(authorization.prefix { $0 != " " })))
    }

    private func carryOver(hop index: Int) {
        guard let failure = self.authentication(index).carryOver() else { return self.reconnect() }
        self.fail(
            self.error(.authenticationFailed, .proxy, DialErrors.authentication(failure, offered: [])))
    }

    /// A new connection along the whole route; the answers ride on it.
    private func reconnect() {
        let old = self.channel
        // Forgotten first: its handler tells of its end while it closes.
        self.channel = nil
        self.connectHandler = nil
        old?.close(promise: nil)
        self.connect()
    }

    // MARK: Ends

    func fail(_ error: TunnelError) {
        guard !self.isFinished, !self.fallBack(after: error) else { return }
        self.isFinished = true
        self.deadline?.cancel()
        self.dropConnection()
        self.promise.fail(self.failures.isEmpty ? error : error.behind(self.failures))
    }

    private func timedOut() {
        self.isOutOfTime = true
        self.failForTime(self.plan.timeout)
    }

    func failForTime(_ limit: TimeAmount) {
        self.fail(DialErrors.timedOut(self.currentPeer, in: self.phase, after: limit))
    }

    private var currentPeer: String {
        switch self.phase {
        case .configuration, .resolve, .connect: "\(self.plan.firstPeer)"
        case .proxyTLS(let hop), .proxyConnect(let hop): "\(hop)"
        case .targetTLS: "\(self.plan.target)"
        }
    }

    func error(
        _ code: TunnelError.Code,
        _ fault: TunnelError.Fault,
        _ detail: String,
        refusal: ProxyRefusal? = nil,
        underlying: (any Error)? = nil
    ) -> TunnelError {
        TunnelError(
            code, phase: self.phase, fault: fault, detail: detail, refusal: refusal, underlying: underlying)
    }

    private func tlsError(_ error: any Error, host: Authority.Host, fault: TunnelError.Fault) -> TunnelError {
        let detail = "the TLS handshake with \(host) failed: \(DialErrors.describeTLS(error))"
        return self.error(.tlsFailed, fault, detail, underlying: error)
    }

    private func refusedError(_ refusal: ProxyRefusal, hop: ProxyHop) -> TunnelError {
        let detail =
            refusal.response.status.code == 407
            ? "\(hop) answered 407 without a challenge, so there is nothing to answer"
            : "\(hop) refused the tunnel to \(self.plan.target): \(refusal.status)"
        return self.error(.refusedByProxy, .proxy, detail, refusal: refusal)
    }

    private func malformedAnswerError(_ failure: ConnectFailure) -> TunnelError {
        self.error(.malformedProxyAnswer, .proxy, "\(failure)", underlying: nil)
    }

    private func authenticationError(
        _ failure: ProxyAuthenticationFailure, _ refusal: ProxyRefusal
    ) -> TunnelError {
        self.error(
            .authenticationFailed, .proxy,
            DialErrors.authentication(failure, offered: refusal.challenges), refusal: refusal)
    }
}
