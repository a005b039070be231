import HTTPWire
import NIOCore
import ProxyRoutes
import SOCKSWire

extension DialAttempt {
    /// Looks up what `socks5` hops will be asked for, before anything is connected: no byte of a hop can come while a
    /// name service takes its time.
    func lookUpForSOCKS() {
        let open = self.plan.namesForSOCKS.first { self.addressesForSOCKS[$0.hop] == nil }
        guard let (hop, name, port) = open else { return self.connect() }
        let isTarget = hop == self.plan.route.hops.count - 1
        let asked = NIODeadline.now()
        AddressResolver.addresses(
            of: name, port: port, names: self.plan.names, filter: isTarget ? self.plan.filter : nil,
            on: self.eventLoop
        ).whenComplete { result in
            self.resolveTime = self.resolveTime + (.now() - asked)
            guard !self.isFinished else { return }
            switch result {
            case .success(let addresses):
                self.addressesForSOCKS[hop] = addresses
                self.lookUpForSOCKS()
            case .failure(let error):
                self.fail(
                    self.lookUpError(error, name: name, purpose: " for \(self.plan.route.hops[hop])"))
            }
        }
    }

    func lookUpError(_ error: any Error, name: String, purpose: String) -> TunnelError {
        if let error = error as? AddressForbidden {
            return self.error(.forbidden, .policy, "\(name): \(error.reason)")
        }
        let reason = (error as? NameNotResolved)?.reason ?? "\(error)"
        let fault: TunnelError.Fault = name == self.plan.target.hostDescription ? .target : .network
        return self.error(.nameNotResolved, fault, "cannot resolve \(name)\(purpose): \(reason)")
    }

    func startSOCKS(hop index: Int, target: Authority, on channel: any Channel) throws {
        let address = self.addressesForSOCKS[index]?.first.flatMap { Authority($0, port: target.port) }
        let machine = SOCKSClientMachine(self.plan.route.hops[index], target: address ?? target)
        let handler = SOCKSHandler(machine: machine) { self.socksEnded($0, hop: index) }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    private func socksEnded(_ outcome: SOCKSHandler.Outcome, hop index: Int) {
        guard !self.isFinished else { return }
        switch outcome {
        case .established:
            self.runNextStep()
        case .failed(.refused(let reply))
        where reply.isAboutAddress && self.addressesForSOCKS[index, default: []].count > 1:
            // The handler closes this connection; a new one asks for the name's next address.
            self.addressesForSOCKS[index]?.removeFirst()
            self.channel = nil
            self.connect()
        case .failed(let failure):
            self.fail(self.socksError(failure, hop: index))
        case .connectionLost(let error):
            self.fail(
                self.error(
                    .connectionClosed, .proxy,
                    "the connection was lost before the proxy answered: \(plainDescription(of: error))",
                    underlying: error))
        }
    }

    private func socksError(_ failure: SOCKSFailure, hop index: Int) -> TunnelError {
        let code: TunnelError.Code =
            switch failure {
            case .refused, .refusedWithCode: .refusedByProxy
            case .noAcceptableMethod, .credentialsRejected: .authenticationFailed
            // The plan was checked for these.
            case .credentialsUnsendable: .invalidConfiguration
            case .notSOCKS, .methodNotOffered, .malformedReply: .malformedProxyAnswer
            case .closed: .connectionClosed
            }
        let target = self.plan.peer(behind: index)
        let detail = code == .refusedByProxy ? "no connection to \(target): \(failure)" : "\(failure)"
        return self.error(code, .proxy, detail)
    }
}

extension SOCKSClientMachine {
    init(_ hop: ProxyHop, target: Authority) {
        self.init(
            hop.scheme == .socks4a ? .socks4a : .socks5, target: target,
            credentials: hop.credentials.map { .init(user: $0.user, password: $0.password.reveal()) })
    }
}

extension DialPlan {
    /// Refuses credentials that SOCKS cannot carry, before anything is connected.
    func checkCredentialsForSOCKS() throws(TunnelError) {
        for hop in self.route.hops where hop.scheme.isSOCKS {
            var machine = SOCKSClientMachine(hop, target: self.target)
            guard case .failed(let failure) = machine.start() else { continue }
            throw .configuration("\(hop): \(failure)")
        }
    }
}
