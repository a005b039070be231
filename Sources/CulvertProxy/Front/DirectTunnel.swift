#if os(Linux)
    import CulvertTunnel
    import HTTPTypes
    import HTTPWire
    import NIOCore

    /// A CONNECT that is decided with its last byte, and whose target is an address to be dialled without a proxy.
    struct DirectTunnel {
        let target: Authority
        let address: IPAddress
        var request: ProxyRequest
        /// Waits for a decision, and once there is one for the outcome of the dial.
        private(set) var machine: ConnectServerMachine
        let snapshot: ProxySnapshot
        let bandwidth: SharedBandwidth?

        var peer: ListenAddress { ListenAddress(address: self.address, port: Int(self.target.port)) }

        /// For the dial.
        var timeout: TimeAmount { self.snapshot.dialer.timeout }

        /// Nil for everything else, refusals included: that is not decided here, and nobody has noticed that it was tried.
        init?(_ bytes: ByteBuffer, from client: ConnectedClient, _ permit: ClientPermit, by core: ProxyCore) {
            var machine = ConnectServerMachine(core)
            var request = ProxyRequest(client: client)
            guard permit.excess == nil, case .authenticate(let head) = machine.receive(bytes),
                head.method == .connect, core.authenticator(for: client) == nil,
                case .authorise(let target, _) = machine.authenticated(),
                case .address(let address) = target.host
            else { return nil }
            request.headArrived(head)
            let judgement = request.judge(head, target: target, by: core)
            guard judgement.snapshot.beginsInFront, judgement.snapshot.leavesDirectly(to: target),
                judgement.denial == nil, judgement.addressFilter(address, target.port) == nil
            else { return nil }
            self.bandwidth = permit.bandwidth(under: judgement.snapshot.configuration.limits)
            // Who has to wait waits elsewhere.
            if let bandwidth, bandwidth.debt != nil { return nil }
            self.target = target
            self.address = address
            self.request = request
            self.machine = machine
            self.snapshot = judgement.snapshot
        }

        /// It is let through: what remains is the dial.
        mutating func authorised() {
            guard case .dial = self.machine.authorised() else {
                preconditionFailure("a CONNECT that was authorised is dialled")
            }
        }

        /// Its target answered.
        ///
        /// - Returns: what goes to the client, and what goes to the target.
        mutating func established() -> (response: ByteBuffer, early: ByteBuffer) {
            guard case .establish(let response, let early, _) = self.machine.dialSucceeded() else {
                preconditionFailure("the machine dials once per request")
            }
            return (response, early)
        }

        func stopped(by obstacle: BegunRequest.Obstacle) -> BegunRequest {
            BegunRequest(machine: self.machine, request: self.request, obstacle: obstacle)
        }
    }
#endif
