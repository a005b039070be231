#if os(Linux)
    import CulvertTunnel
    import HTTPTypes
    import HTTPWire
    import NIOCore
    import ProxyPolicy

    /// A plain request without a body that is decided with its last byte, for an origin that is reached without a proxy
    /// and whose address is known; then its exchange with that origin.
    final class FrontExchange {
        /// What happens once the client has what is still unsent.
        enum Ending {
            /// Its next request is read.
            case next(ForwardEnd)
            /// It must see that its answer is incomplete.
            case cut(byReset: Bool)
        }

        let forward: ForwardRequest
        let judgement: Judgement
        let key: OriginKey
        var request: ProxyRequest
        var server: ConnectServerMachine
        var machine: ForwardMachine
        var figures = ForwardFigures()
        var origin: FrontOrigin?
        /// Where to dial, when there is no connection yet.
        let address: IPAddress?
        /// The origin's name has more, for when this one does not answer.
        let hasOtherAddresses: Bool
        /// What the origin has not taken.
        var unsentUp = ByteBuffer()
        /// What the client has not taken.
        var unsentDown = ByteBuffer()
        var ending: Ending?
        var lastActivity: NIODeadline

        /// Nil for everything else, refusals included: that is not decided here, and nobody has noticed that it was tried.
        ///
        /// - Parameters:
        ///   - server: waits for a head.
        ///   - request: knows of the client only.
        ///   - pool: where an idle connection may be; it is taken.
        init?(
            _ bytes: ByteBuffer, _ server: ConnectServerMachine, _ request: ProxyRequest,
            _ permit: ClientPermit,
            by core: ProxyCore, pool: OriginPool<FrontOrigin>
        ) {
            var (server, request) = (server, request)
            guard permit.excess == nil, case .authenticate(let head) = server.receive(bytes),
                head.minorVersion == 1, head.keepsConnection, request.authenticate(head, by: core),
                case .authorise(let target, _) = server.authenticated()
            else { return nil }
            request.headArrived(head)
            let judgement = request.judge(head, target: target, by: core)
            let snapshot = judgement.snapshot
            let limits = snapshot.configuration.limits
            // Who is counted, or has to wait, is so elsewhere.
            guard snapshot.beginsInFront, snapshot.leavesDirectly(to: target), judgement.denial == nil,
                limits.perClient.requestRate == nil, permit.bandwidth(under: limits) == nil,
                request.entry.user == nil || limits.perUser == ProxyLimits.Share(),
                case .forward(let forward, let early, false) = server.authorised(),
                // Bodies, upgrades, and requests that wait behind this one are not for here.
                early.readableBytes == 0, forward.isRepeatable, !forward.bindsConnection
            else { return nil }
            self.key = OriginKey(peer: .direct(target), user: nil)
            self.origin = pool.take(self.key, under: judgement)
            let known =
                self.origin == nil ? core.names.knownAddress(of: target, under: judgement) : nil
            guard self.origin != nil || known != nil else { return nil }
            self.address = known?.address
            self.hasOtherAddresses = known?.hasOthers ?? false
            self.forward = forward
            self.judgement = judgement
            self.request = request
            self.server = server
            self.machine = ForwardMachine(
                forward, early: early, inputClosed: false, pseudonym: core.forwarding.pseudonym)
            self.lastActivity = .now()
        }

        /// Keeps what the log will tell of it.
        func note() {
            self.figures.status = self.machine.status ?? 0
            self.request.wasForwarded(self.figures)
        }

        var limits: ProxyLimits { self.judgement.snapshot.configuration.limits }

        func stopped(by obstacle: BegunRequest.Obstacle) -> BegunRequest {
            BegunRequest(machine: self.server, request: self.request, obstacle: obstacle)
        }
    }
#endif
