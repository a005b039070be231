import NIOCore

extension DialAttempt {
    /// Waits for the routes.
    func choose(_ ask: @escaping @Sendable () async throws -> [PlannedRoute]) {
        self.enter(.configuration)
        self.eventLoop.makeFutureWithTask(ask).whenComplete { result in
            guard !self.isFinished else { return }
            switch result {
            case .success(let routes):
                guard let first = routes.first else {
                    return self.fail(.configuration("no route leads to \(self.plan.target)"))
                }
                self.plan.route = first.route
                self.plan.hopTLS = first.hopTLS
                self.plan.alternatives = routes.dropFirst()
                self.checkTarget()
            case .failure(let error):
                self.fail(error as? TunnelError ?? .configuration("\(error)", underlying: error))
            }
        }
    }

    /// Goes on along the next route, where the first proxy of this one could not be reached. A proxy that answered, be
    /// it with a refusal, has the last word: its answer would not be another one behind another proxy's back.
    ///
    /// - Returns: whether there is such a route.
    func fallBack(after error: TunnelError) -> Bool {
        guard let proxy = self.plan.route.hops.first, error.isUnreachableProxy else { return false }
        self.plan.health?.unreachable(proxy)
        guard !self.isOutOfTime, let next = self.plan.alternatives.popFirst() else { return false }
        self.failures.append("\(proxy): \(error.detail)")
        self.plan.onFallBack?(proxy, error, next.route)
        self.dropConnection()
        self.plan.route = next.route
        self.plan.hopTLS = next.hopTLS
        // Not inside of the event that brought the failure: it may be one of the connection that was dropped.
        self.eventLoop.execute {
            if !self.isFinished { self.checkTarget() }
        }
        return true
    }

    /// A first peer that takes no packets must leave time for the alternatives.
    func limitConnect() {
        self.connectDeadline?.cancel()
        guard let limit = self.plan.connectLimit, !self.plan.alternatives.isEmpty else { return }
        self.connectDeadline = self.eventLoop.scheduleTask(in: limit) { self.failForTime(limit) }
    }

    /// What it still says is nobody's concern.
    func dropConnection() {
        self.droppedConnections += 1
        let old = self.channel
        self.channel = nil
        self.connectHandler = nil
        self.connectDeadline?.cancel()
        old?.close(promise: nil)
        self.resolver?.cancelQueries()
        self.resolver = nil
        for channel in self.connecting { channel.close(promise: nil) }
        self.connecting = []
        self.authentications = [:]
        self.addressesForSOCKS = [:]
    }
}
