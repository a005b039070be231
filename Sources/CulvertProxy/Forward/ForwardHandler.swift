import CulvertTunnel
import Foundation
import HTTPWire
import NIOCore
import ProxyRoutes

/// The forwarded requests of one client connection, one after the other: performs what the ``ForwardMachine`` asks for.
final class ForwardHandler: OriginConnectionUser {
    private let core: ProxyCore
    private let pool: OriginPool<OriginConnection>
    private let context: ChannelHandlerContext
    private let timer: DeadlineTimer
    /// Holds back the client's bytes while the origin takes no more.
    private let gate = ReadGate()
    private let onEnd: (ForwardOutcome) -> Void

    private var machine: ForwardMachine?
    /// Of the request under way.
    private var judgement: Judgement?
    private var route: ForwardRoute?
    /// The way that is tried, and those behind it.
    private var ways: ArraySlice<Route> = []
    private var origin: OriginConnection?
    private var dial: DialAttempt<NIOLoopBound<OriginConnection>>?
    /// Tells late answers to an earlier request apart.
    private var serial = 0
    /// Authenticated for this client by a scheme that binds the connection: nobody else may have it.
    private var bound: OriginConnection?
    private var clientIsPaused = false
    private var throttle: ForwardThrottle?
    /// With the parent that gets the request.
    private var authentication: ParentAuthentication?
    private var start = NIODeadline.now()
    private var lastActivity = NIODeadline.now()
    private var lastUpload = NIODeadline.now()
    private var unsentBefore = 0
    private(set) var figures = ForwardFigures()

    /// - Parameters:
    ///   - context: of the handler that reads the client's connection.
    ///   - timer: of that connection, this handler's while a request runs; on expiry call `timerFired`.
    ///   - onEnd: called once for each request.
    init(
        _ core: ProxyCore, context: ChannelHandlerContext, timer: DeadlineTimer,
        onEnd: @escaping (ForwardOutcome) -> Void
    ) throws {
        self.core = core
        self.context = context
        self.timer = timer
        self.onEnd = onEnd
        self.pool = core.forwarding.pool(on: context.eventLoop)
        try context.pipeline.syncOperations.addHandler(self.gate, position: .before(context.handler))
    }

    // MARK: One request

    /// - Parameter limit: how fast the request and its answer may move.
    func forward(
        _ request: ForwardRequest, early: ByteBuffer, inputClosed: Bool, under judgement: Judgement,
        limit: (any TrafficLimit)?
    ) {
        self.judgement = judgement
        self.throttle = limit.map { limit in
            ForwardThrottle(limit, on: self.context.eventLoop) { self.readOn() }
        }
        self.throttle?.spend(early.readableBytes, from: .client)
        let machine = ForwardMachine(
            request, early: early, inputClosed: inputClosed, pseudonym: self.core.forwarding.pseudonym)
        self.machine = machine
        self.serial &+= 1
        self.figures = ForwardFigures()
        self.start = .now()
        self.lastActivity = self.start
        self.lastUpload = self.start
        self.armTimer()
        self.chooseWays(request, judgement)
    }

    private func chooseWays(_ request: ForwardRequest, _ judgement: Judgement) {
        let (serial, user) = (self.serial, judgement.request.user)
        guard let answer = self.core.scriptWays(for: judgement, on: self.context.eventLoop) else {
            self.ways = self.core.ways(for: judgement)[...]
            return self.takeWay(request, user: user)
        }
        self.ways = []
        answer.assumeIsolated().whenComplete { result in
            guard self.serial == serial, self.machine != nil else { return }
            switch result {
            case .success(let ways):
                self.ways = ways[...]
                self.takeWay(request, user: user)
            case .failure(let error): self.fail(.init(dialing: error))
            }
        }
    }

    private func takeWay(_ request: ForwardRequest, user: String?) {
        guard let route = self.nextRoute(of: request, user: user) else { return }
        self.figures.parent = self.ways.first?.hops.first?.description
        self.route = route
        if let parent = route.parent, let dialer = self.judgement?.snapshot.dialer {
            self.authentication = ParentAuthentication(
                request, with: parent, dialer, on: self.context.eventLoop)
        } else {
            self.authentication = nil
        }
        self.checkTarget(request, route)
    }

    private func nextRoute(of request: ForwardRequest, user: String?) -> ForwardRoute? {
        self.ways.first.map { ForwardRoute(request, upstream: $0, user: user) }
    }

    /// A parent dials by itself: what it would reach is looked at before.
    private func checkTarget(_ request: ForwardRequest, _ route: ForwardRoute) {
        let serial = self.serial
        guard route.parent != nil, let judgement,
            let check = self.core.check(judgement, on: self.context.eventLoop)
        else { return self.connect(request, route) }
        check.assumeIsolated().whenComplete { result in
            guard self.serial == serial, self.machine != nil else { return }
            switch result {
            case .success: self.connect(request, route)
            case .failure(let error): self.fail(.init(dialing: error))
            }
        }
    }

    private func connect(_ request: ForwardRequest, _ route: ForwardRoute) {
        if let bound = self.takeBound(route.key) { return self.connected(bound) }
        // What cannot be repeated must not meet a connection that its server is about to close (RFC 9112 §9.3.1).
        if request.isRepeatable, let judgement, let pooled = self.pool.take(route.key, under: judgement) {
            return self.connected(pooled)
        }
        self.startDial(route)
    }

    private func takeBound(_ key: OriginKey) -> OriginConnection? {
        guard let bound else { return nil }
        self.bound = nil
        if bound.key == key, bound.isUsable, self.judgement?.admits(bound) == true { return bound }
        bound.close()
        return nil
    }

    private func startDial(_ route: ForwardRoute) {
        guard let judgement else { return }
        let pool = NIOLoopBound(self.pool, eventLoop: self.context.eventLoop)
        let (core, key, serial) = (self.core, route.key, self.serial)
        do {
            var plan = try core.plan(for: route, under: judgement)
            if self.ways.count > 1 {
                plan.connectLimit = judgement.snapshot.dialer.connectLimit(routes: self.ways.count)
            }
            let dial = DialAttempt.start(plan, on: self.context.eventLoop) { channel in
                core.registry.add(channel)
                let connection = try OriginConnection(channel, key: key, pool: pool.value)
                return NIOLoopBound(connection, eventLoop: channel.eventLoop)
            }
            self.dial = dial
            dial.future.assumeIsolated().whenComplete { result in
                self.dialEnded(result.map(\.value), serial: serial)
            }
        } catch {
            self.fail(.init(error))
        }
    }

    private func dialEnded(_ result: Result<OriginConnection, any Error>, serial: Int) {
        guard self.serial == serial, self.machine != nil else {
            // Given up meanwhile; the connection has not seen anything yet.
            if case .success(let connection) = result { connection.close() }
            return
        }
        self.noteDial(result)
        self.dial = nil
        switch result {
        case .success(let connection): self.connected(connection)
        case .failure(let error) where self.fallBack(after: error): break
        case .failure(let error):
            self.fail(self.route?.parent == nil ? .init(dialing: error) : .init(dialingParent: error))
        }
    }

    /// Nothing of the request has gone out yet; so another way may carry it.
    private func fallBack(after error: any Error) -> Bool {
        guard let error = error as? TunnelError, let parent = self.ways.first?.hops.first, let route,
            let machine,
            error.isUnreachableProxy
                || (route.parent != nil && error.phase == .targetTLS && error.isTransient)
        else { return false }
        self.core.unreachable(parent)
        guard self.ways.count > 1 else { return false }
        self.ways.removeFirst()
        self.core.logFallBack(from: parent, error, to: self.ways.first ?? .direct)
        self.takeWay(machine.request, user: route.key.user)
        return true
    }

    private func noteDial(_ result: Result<OriginConnection, any Error>) {
        let resolve = self.dial?.resolveTime ?? .zero
        self.figures.resolveTime = resolve
        self.core.metrics.dialled(
            nanoseconds: (NIODeadline.now() - self.start).nanoseconds,
            resolveNanoseconds: resolve == .zero ? nil : resolve.nanoseconds)
        guard let parent = self.figures.parent else { return }
        if case .failure(let error) = result {
            self.core.metrics.used(parent: parent, error: error as? TunnelError)
        } else {
            self.core.metrics.used(parent: parent, error: nil)
        }
    }

    private func connected(_ origin: OriginConnection) {
        self.origin = origin
        origin.use(by: self)
        self.figures.address = origin.address
        self.figures.addressText = origin.addressText
        self.figures.connectTime = NIODeadline.now() - self.start
        self.updateOriginReading()
        guard let authentication else { return self.send(to: .origin) }
        let serial = self.serial
        authentication.begin(on: origin) { hop in
            guard self.serial == serial, self.machine != nil else { return }
            self.send(to: hop)
        }
    }

    private func send(to hop: ForwardHop) {
        guard let origin else { return }
        let isReused = origin.isReused || self.authentication?.hasAnsweredHere == true
        self.clientIsPaused = false
        guard let action = self.machine?.originConnected(hop, isReused: isReused) else { return }
        self.perform(action)
        origin.flush()
        self.updateGate()
        // Its end was told before the machine knew of it.
        if !origin.isUsable { self.originClosed(isClean: false) }
    }

    // MARK: What the client's connection hears

    func clientReceived(_ bytes: ByteBuffer) {
        self.lastUpload = .now()
        self.lastActivity = self.lastUpload
        self.throttle?.spend(bytes.readableBytes, from: .client)
        guard let action = self.machine?.receiveFromClient(bytes) else { return }
        self.perform(action)
        self.updateGate()
    }

    func clientReadCompleted() {
        self.origin?.flush()
    }

    func clientClosed() {
        guard let action = self.machine?.clientClosed() else { return }
        self.perform(action)
    }

    func clientWritabilityChanged() {
        self.lastActivity = .now()
        self.updateOriginReading()
    }

    /// The client's connection is gone, or is to go: nobody hears of the request any more.
    ///
    /// - Returns: whether one was under way.
    @discardableResult
    func abandon() -> Bool {
        let wasUnderWay = self.machine != nil
        self.end()?.close()
        self.bound?.close()
        self.bound = nil
        return wasUnderWay
    }

    // MARK: What the origin's connection hears

    func originReceived(_ bytes: ByteBuffer) {
        self.lastActivity = .now()
        // Nothing is asked yet: whatever it is, it must not be taken for the next answer.
        if self.authentication?.isAnswering == true {
            self.origin?.close()
            return
        }
        self.throttle?.spend(bytes.readableBytes, from: .origin)
        self.updateOriginReading()
        let now = Int64(Date().timeIntervalSince1970)
        guard let action = self.machine?.receiveFromOrigin(bytes, now: now) else { return }
        if let origin, self.machine?.status != nil { self.authentication?.admitted(on: origin) }
        self.perform(action)
    }

    func originReadCompleted() {
        self.context.flush()
    }

    func originWritabilityChanged() {
        self.lastActivity = .now()
        self.updateGate()
    }

    func originClosed(isClean: Bool) {
        guard let action = self.machine?.originClosed(isClean: isClean) else { return }
        self.perform(action)
    }

    // MARK: Actions of the machine

    private func perform(_ action: ForwardClientAction) {
        switch action {
        case .needMore:
            break
        case .pauseReading:
            self.clientIsPaused = true
        case .send(let bytes):
            self.figures.bytesUp += UInt64(bytes.readableBytes)
            self.origin?.write(bytes)
        case .fail(let failure):
            self.end()?.close()
            self.onEnd(.failed(failure))
        }
    }

    private func perform(_ action: ForwardOriginAction) {
        switch action {
        case .needMore:
            break
        case .send(let bytes):
            self.writeToClient(bytes)
        case .finish(let bytes, let end):
            self.writeToClient(bytes)
            self.finished(end)
        case .tunnel(let response, let fromClient, let fromOrigin, let inputClosed):
            guard let origin = self.end() else { return }
            self.onEnd(
                .tunnel(
                    origin, response: response, fromClient: fromClient, fromOrigin: fromOrigin,
                    inputClosed: inputClosed))
        case .retry:
            self.obey(self.authentication?.connectionEnded() ?? .reconnect)
        case .challenged(let values, let canRepeat, let keepsConnection):
            self.challenged(values, canRepeat: canRepeat, keepsConnection: keepsConnection)
        case .offerIgnored(let keepsConnection):
            if let authentication {
                self.obey(authentication.offerIgnored(on: keepsConnection ? self.origin : nil))
            }
        case .fail(let failure):
            self.end()?.close()
            self.onEnd(.failed(failure))
        }
    }

    private func writeToClient(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        self.figures.bytesDown += UInt64(bytes.readableBytes)
        self.context.write(NIOAny(bytes), promise: nil)
    }

    private func finished(_ end: ForwardEnd) {
        self.context.flush()
        let origin = self.end()
        switch end.origin {
        case _ where self.core.draining, .close: origin?.close()
        case .reusable:
            origin?.release()
            if let origin { self.pool.put(origin) }
        case .bound:
            origin?.release()
            self.bound = origin
        }
        self.onEnd(.ended(end))
    }

    private func dialAgain() {
        self.origin?.close()
        self.origin = nil
        guard let route else { return }
        self.startDial(route)
    }

    /// The parent's 407 is ours to answer: the client's credentials are for us, not for it.
    private func challenged(_ values: [String], canRepeat: Bool, keepsConnection: Bool) {
        let serial = self.serial
        self.authentication?.challenged(
            values, on: keepsConnection ? self.origin : nil, canRepeat: canRepeat
        ) { verdict in
            guard self.serial == serial, self.machine != nil else { return }
            self.obey(verdict)
        }
    }

    private func obey(_ verdict: ParentAuthentication.Verdict) {
        switch verdict {
        case .send(let hop): self.send(to: hop)
        case .reconnect: self.dialAgain()
        case .fail(let rejection): self.fail(rejection)
        }
    }

    private func fail(_ rejection: Rejection) {
        guard let failure = self.machine?.failed(rejection) else { return }
        self.end()?.close()
        self.onEnd(.failed(failure))
    }

    /// The request is over; returns its connection, of which nothing more is heard.
    private func end() -> OriginConnection? {
        self.figures.status = self.machine?.status ?? 0
        self.machine = nil
        self.judgement = nil
        self.route = nil
        self.authentication = nil
        self.dial?.cancel()
        self.dial = nil
        self.timer.clear()
        self.clientIsPaused = false
        self.throttle?.invalidate()
        self.throttle = nil
        defer { self.origin = nil }
        self.updateGate()
        return self.origin
    }

    private func updateGate() {
        let isOpen =
            !self.clientIsPaused && self.origin?.isWritable != false
            && self.throttle?.isPaused(.client) != true
        if self.gate.isOpen != isOpen { self.gate.isOpen = isOpen }
    }

    private func updateOriginReading() {
        self.origin?.setReading(
            self.context.channel.isWritable && self.throttle?.isPaused(.origin) != true)
    }

    /// The limit's time is over.
    private func readOn() {
        self.lastActivity = .now()
        self.lastUpload = self.lastActivity
        self.updateGate()
        self.updateOriginReading()
    }

    // MARK: Time

    private func armTimer() {
        let waits = self.machine?.waitsForClient == true
        self.timer.set(
            in: TimeAmount(waits ? self.bodyTimeout : self.core.snapshot.configuration.idleTimeout))
    }

    private var bodyTimeout: Duration {
        min(
            self.core.snapshot.configuration.forwarding.bodyTimeout,
            self.core.snapshot.configuration.idleTimeout)
    }

    func timerFired() {
        guard let machine else { return }
        let now = NIODeadline.now()
        // Bytes that still go out to a slow reader count too.
        let unsent = self.unsentBytes
        if unsent > 0, unsent != self.unsentBefore { self.lastActivity = now }
        self.unsentBefore = unsent
        let configuration = self.core.snapshot.configuration
        if now - self.lastActivity >= TimeAmount(configuration.idleTimeout) {
            self.fail(machine.waitsForClient ? .slowBody : .slowAnswer)
        } else if machine.waitsForClient, self.gate.isOpen,
            now - self.lastUpload >= TimeAmount(self.bodyTimeout)
        {
            self.fail(.slowBody)
        } else {
            self.armTimer()
        }
    }

    private var unsentBytes: Int {
        self.context.channel.unsentBytes + (self.origin?.unsentBytes ?? 0)
    }
}
