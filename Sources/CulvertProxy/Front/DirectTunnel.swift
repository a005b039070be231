#if os(Linux)
    import CulvertTunnel
    import HTTPTypes
    import HTTPWire
    import NIOCore

    /// A CONNECT that is decided with its last byte: its target is to be dialled without a proxy, and its address is known.
    ///
    /// A class: it is passed about, and its dozen references should not be counted each time.
    final class DirectTunnel {
        let target: Authority
        let address: IPAddress
        /// Its name has more, for when this one does not answer.
        let hasOtherAddresses: Bool
        var request: ProxyRequest
        /// Waits for a decision, and once there is one for the outcome of the dial.
        private(set) var machine: ConnectServerMachine
        let snapshot: ProxySnapshot
        let bandwidth: SharedBandwidth?

        var peer: ListenAddress { ListenAddress(address: self.address, port: Int(self.target.port)) }

        /// For the dial.
        var timeout: TimeAmount {
            self.hasOtherAddresses ? Self.timeOfFirstAddress : self.snapshot.dialTimeout
        }

        /// Then the others are tried beside it (RFC 8305, section 5).
        static let timeOfFirstAddress = TimeAmount.milliseconds(250)

        /// Nil for everything else, refusals included: that is not decided here, and nobody has noticed that it was tried.
        ///
        /// - Parameters:
        ///   - machine: waits for a head.
        ///   - request: knows of the client only.
        init?(
            _ bytes: ByteBuffer, _ machine: ConnectServerMachine, _ request: ProxyRequest,
            _ permit: ClientPermit,
            by core: ProxyCore
        ) {
            var (machine, request) = (machine, request)
            guard permit.excess == nil, case .authenticate(let head) = machine.receive(bytes),
                head.method == .connect, request.authenticate(head, by: core),
                case .authorise(let target, _) = machine.authenticated()
            else { return nil }
            request.headArrived(head)
            let judgement = request.judge(head, target: target, by: core)
            guard judgement.snapshot.beginsInFront, judgement.snapshot.leavesDirectly(to: target),
                judgement.denial == nil,
                let known = core.names.knownAddress(of: target, under: judgement)
            else { return nil }
            let limits = judgement.snapshot.configuration.limits
            self.bandwidth = permit.bandwidth(under: limits)
            // Who has to wait waits elsewhere, and whose user may have to, too: he is not counted yet.
            if let bandwidth, bandwidth.debt != nil { return nil }
            if request.entry.user != nil, limits.perUser.bandwidth != nil { return nil }
            self.target = target
            self.address = known.address
            self.hasOtherAddresses = known.hasOthers
            self.request = request
            self.machine = machine
            self.snapshot = judgement.snapshot
        }

        /// It is let through: what remains is the dial.
        func authorised() {
            guard case .dial = self.machine.authorised() else {
                preconditionFailure("a CONNECT that was authorised is dialled")
            }
        }

        /// Its target answered.
        ///
        /// - Returns: what goes to the client, and what goes to the target.
        func established() -> (response: ByteBuffer, early: ByteBuffer) {
            guard case .establish(let response, let early, _) = self.machine.dialSucceeded() else {
                preconditionFailure("the machine dials once per request")
            }
            return (response, early)
        }

        func stopped(by obstacle: BegunRequest.Obstacle) -> BegunRequest {
            BegunRequest(machine: self.machine, request: self.request, obstacle: obstacle)
        }
    }

    extension NameService {
        /// The first of a target's addresses that may be dialled. Nil when none may be, and when somebody would have to
        /// be asked.
        func knownAddress(
            of target: Authority, under judgement: Judgement
        ) -> (address: IPAddress, hasOthers: Bool)? {
            switch target.host {
            case .address(let address):
                return judgement.addressFilter(address, target.port) == nil ? (address, false) : nil
            case .name(let name):
                // A link-local address would need its interface too.
                let known = self.known(name, port: target.port)?.compactMap(IPAddress.init)
                    .filter { !$0.needsZone }
                guard let known,
                    let first = known.first(where: { judgement.addressFilter($0, target.port) == nil })
                else { return nil }
                return (first, known.count > 1)
            }
        }
    }
#endif
