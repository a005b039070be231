#if os(Linux)
    import CLinux
    import CulvertTunnel
    import HTTPTypes
    import HTTPWire
    import NIOCore
    import ProxyPolicy

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// One client connection from its first byte to its tunnel, where that is a ``DirectTunnel``, and between them plain
    /// requests, each a ``FrontExchange``. Whatever else comes, a ``PortHandler`` gets it as if it had come there first.
    ///
    /// `@unchecked Sendable`: from ``start()`` on it is touched on the loop's thread only.
    final class FrontConnection: SpliceMember, RegisteredRelay, @unchecked Sendable {
        enum Phase {
            /// Waiting for the first bytes, or those of the next request. Leaves on them, EOF, the deadline.
            case waiting
            /// The origin is being connected; what the client sends waits in its socket. Leaves when it is, on an error,
            /// when the client is gone, on the deadline.
            case dialing(DirectTunnel, origin: SpliceSocket)
            /// A plain request is passed on; what the client sends waits in its socket. Leaves when it is answered, on an
            /// error, when the client is gone, on the deadline.
            case exchanging(FrontExchange)
            /// Somebody else has the client's socket, or it is closed.
            case over
        }

        var slot = SpliceSlot.none
        private(set) var deadline: NIODeadline?
        private(set) var patience = TimeAmount.zero
        let client: SpliceSocket
        let loop: SpliceLoop
        let pool: OriginPool<FrontOrigin>
        var phase = Phase.waiting
        private(set) var permit: ClientPermit?
        private let surroundings: FrontListener.Surroundings
        private let address: ConnectedClient
        /// The last one, which is answered.
        private var former: FrontExchange?
        private var watchesForRoom = false
        /// What epoll said of the client's socket, once only, and nobody has acted on.
        private var clientEvents: UInt32 = 0

        var core: ProxyCore { self.surroundings.core }

        /// Counts the connection at once, on whatever thread.
        init(
            _ client: SpliceSocket, of address: ConnectedClient, on loop: SpliceLoop,
            in surroundings: FrontListener.Surroundings
        ) {
            self.client = client
            self.address = address
            self.loop = loop
            self.pool = surroundings.pools.pool(of: loop)
            self.surroundings = surroundings
            self.core.metrics.connectionOpened()
            self.core.registry.add(self)
        }

        /// Goes over to its loop, on its thread.
        func start() {
            let snapshot = self.core.snapshot
            self.loop.enter(self)
            // The load balancer's header comes first, and is not for here.
            guard snapshot.beginsInFront,
                !snapshot.configuration.proxyProtocolFrom.contains(self.address.address)
            else { return self.handOver(.bytes(ByteBuffer(), nil)) }
            guard let permit = self.core.admit(self.address.address) else { return self.close() }
            self.permit = permit
            self.wait(permit.headTime(snapshot.configuration))
            self.loop.watch(self.client, self.slot, .client, Self.interest)
        }

        private static let interest = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue

        /// A write has found the client's socket full. Once watched for, room is told of for good: it costs nothing.
        func awaitRoom() {
            guard !self.watchesForRoom else { return }
            self.watchesForRoom = true
            self.loop.rewatch(self.client, self.slot, .client, Self.interest | EPOLLOUT.rawValue)
        }

        func wait(_ time: TimeAmount) {
            self.patience = min(time, Self.longestPatience)
            self.deadline = self.loop.now + self.patience
            self.loop.expect(self)
        }

        // MARK: From any thread

        func hear(_ event: DrainEvent) { self.hear(event, self.loop) }
        func closeNow() { self.closeNow(self.loop) }

        // MARK: What happens

        var isOver: Bool {
            if case .over = self.phase { true } else { false }
        }

        func ready(_ side: RelaySide, events: UInt32) {
            if side == .client { self.clientEvents |= events }
            switch (self.phase, side) {
            case (.waiting, .client): self.receive()
            case (.dialing, .client): if Self.tellsOfEnd(events) { self.abandon() }
            case (.exchanging(let exchange), .client):
                if Self.tellsOfEnd(events) {
                    self.abandon(exchange, by: .client, reason: Self.leftEarly)
                } else if events & EPOLLOUT.rawValue != 0 {
                    self.clientHasRoom(exchange)
                }
            case (.dialing(let tunnel, let origin), .origin):
                let code = Self.tellsOfEnd(events) ? origin.pendingError() : 0
                if code != 0 {
                    self.fail(tunnel, origin, IOError(errnoCode: code, reason: "connect"))
                } else if events & EPOLLOUT.rawValue != 0 {
                    self.open(tunnel, origin, events: events)
                }
            // The connection to the origin is a member of its own.
            case (.waiting, .origin), (.exchanging, .origin), (.over, _): break
            }
        }

        static let leftEarly = "the client left before the answer was complete"

        private static func tellsOfEnd(_ events: UInt32) -> Bool {
            events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
        }

        func expired() {
            switch self.phase {
            // Without a byte of a request there is nothing to answer.
            case .waiting: self.close()
            case .exchanging(let exchange): self.expired(exchange)
            case .dialing(let tunnel, let origin) where tunnel.hasOtherAddresses:
                self.dialAgain(tunnel, origin)
            case .dialing(let tunnel, let origin):
                let error = DialErrors.timedOut("\(tunnel.target)", in: .connect, after: self.patience)
                self.refuse(tunnel, origin, error)
            case .over: break
            }
        }

        func obey(_ order: SpliceOrder) {
            switch (order, self.phase) {
            case (.drainBegan, .dialing), (.drainBegan, .exchanging), (_, .over): break
            // What was sent before the stop is answered.
            case (.drainBegan, .waiting): if !self.receive() { self.close() }
            case (_, .waiting): self.close()
            case (_, .dialing): self.abandon(by: .proxy, reason: "the proxy is stopping")
            case (_, .exchanging(let exchange)):
                self.abandon(exchange, by: .proxy, reason: "the proxy is stopping")
            }
        }

        // MARK: The request

        /// Returns whether anything came: bytes, an end, an error.
        @discardableResult
        private func receive() -> Bool {
            let scratch = self.loop.resources.scratch
            switch self.client.receive(into: scratch) {
            case .wouldBlock:
                self.clientEvents = 0
                return false
            case .failed, .moved(0): self.close()
            case .moved(let count):
                // A full buffer may not have been all; an end that was announced is still to be read.
                if count < scratch.count { self.clientEvents &= ~EPOLLIN.rawValue }
                self.begin(ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: scratch[..<count])))
            }
            return true
        }

        func awaitRequest(behind former: FrontExchange) {
            self.phase = .waiting
            self.former = former
            self.wait(TimeAmount(self.core.snapshot.configuration.forwarding.keepAliveTimeout))
            if self.clientEvents & ~EPOLLOUT.rawValue != 0 { self.receive() }
        }

        private func begin(_ bytes: ByteBuffer) {
            guard let permit, let first = bytes.readableBytesView.first, ASCII.isLetter(first) else {
                return self.handOver(.bytes(bytes, self.permit))
            }
            let server = self.former?.server ?? ConnectServerMachine(self.core)
            let request =
                self.former.map { ProxyRequest(after: $0.request) } ?? ProxyRequest(client: self.address)
            guard first == UInt8(ascii: "C") else {
                let exchange = FrontExchange(
                    bytes, server, request, permit, by: self.core, pool: self.pool)
                guard let exchange else { return self.handOver(.bytes(bytes, permit)) }
                // Without limits to a user there is nothing that he could exceed.
                _ = permit.request(by: exchange.request.entry.user, under: exchange.limits)
                return self.begin(exchange)
            }
            guard let tunnel = DirectTunnel(bytes, server, request, permit, by: self.core) else {
                return self.handOver(.bytes(bytes, permit))
            }
            // The request counts from here on: it is not judged again elsewhere.
            let limits = tunnel.snapshot.configuration.limits
            let excess =
                permit.request(under: limits) ?? permit.request(by: tunnel.request.entry.user, under: limits)
            if let excess {
                return self.handOver(.begun(tunnel.stopped(by: .beyond(excess)), permit))
            }
            tunnel.authorised()
            do throws(IOError) {
                self.dial(tunnel, try .connecting(to: tunnel.address, port: tunnel.target.port))
            } catch {
                self.fail(tunnel, nil, error)
            }
        }

        private func dial(_ tunnel: DirectTunnel, _ origin: SpliceSocket) {
            self.phase = .dialing(tunnel, origin: origin)
            self.wait(tunnel.timeout)
            self.loop.watch(
                origin, self.slot, .origin,
                EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue)
        }

        private func open(_ tunnel: DirectTunnel, _ origin: SpliceSocket, events: UInt32) {
            let (response, early) = tunnel.established()
            tunnel.request.opened(at: tunnel.peer, isDirect: true)
            tunnel.request.dialEnded(resolveTime: .zero, parent: nil, metrics: self.core.metrics)
            tunnel.request.becameTunnel()
            self.phase = .over
            let relay = SpliceRelay(
                client: self.client, origin: origin,
                idleTimeout: TimeAmount(self.core.configuration.idleTimeout), limit: tunnel.bandwidth,
                loop: self.loop, registry: self.core.registry,
                record: TunnelRecord(
                    self.core, entry: tunnel.request.entry, permit: self.permit, since: tunnel.request.start,
                    engine: self.surroundings.engine))
            relay.begin(response: response, early: early, banner: ByteBuffer())
            relay.start(inPlaceOf: self)
            self.leave()
            relay.ready(.origin, events: events & ~EPOLLOUT.rawValue)
            relay.ready(.client, events: self.clientEvents & ~EPOLLOUT.rawValue)
        }

        // MARK: Ends

        private func fail(_ tunnel: DirectTunnel, _ origin: SpliceSocket?, _ error: IOError) {
            if tunnel.hasOtherAddresses { return self.dialAgain(tunnel, origin) }
            self.refuse(tunnel, origin, DialErrors.connect(error, peer: tunnel.target))
        }

        private func refuse(_ tunnel: DirectTunnel, _ origin: SpliceSocket?, _ error: TunnelError) {
            self.core.names.forget(tunnel.target.host)
            self.stop(tunnel, origin, by: .dialFailed(error))
        }

        /// All of the target's addresses are tried, elsewhere.
        private func dialAgain(_ tunnel: DirectTunnel, _ origin: SpliceSocket?) {
            self.stop(tunnel, origin, by: .toBeDialledAgain)
        }

        private func stop(
            _ tunnel: DirectTunnel, _ origin: SpliceSocket?, by obstacle: BegunRequest.Obstacle
        ) {
            origin?.close()
            guard let permit else { return self.close() }
            self.handOver(.begun(tunnel.stopped(by: obstacle), permit))
        }

        func handOver(_ handover: Handover) {
            self.phase = .over
            self.loop.unwatch(self.client)
            self.loop.remove(self)
            handover.pass(self.client, in: self.surroundings) { self.leave() }
        }

        private func abandon(
            by closer: AccessLogEntry.Closer = .client,
            reason: String = "the client left before the tunnel stood"
        ) {
            guard case .dialing(let tunnel, let origin) = self.phase else { return }
            origin.close()
            var request = tunnel.request
            request.end(by: closer, reason: reason, in: self.core)
            self.close()
        }

        func close(_ close: (SpliceSocket) -> Void = { $0.close() }) {
            self.phase = .over
            self.loop.remove(self)
            close(self.client)
            self.leave()
        }

        /// Whoever has the connection now has counted it too; or nobody has it.
        private func leave() {
            self.core.metrics.connectionClosed()
            self.permit?.release()
            self.core.registry.remove(self)
        }
    }
#endif
