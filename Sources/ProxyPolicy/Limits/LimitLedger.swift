/// Who has how many connections, and how full everybody's buckets are.
///
/// Bounded: whoever comes when the table is full shares one account with all others who did. Times are nanoseconds of a
/// clock that never goes back.
package struct LimitLedger: Sendable {
    package enum Direction: Sendable, Hashable { case up, down }

    private struct Account {
        var connections = 0
        var requests = TokenBucket()
        var up = TokenBucket()
        var down = TokenBucket()

        func isUnused(at now: UInt64) -> Bool {
            self.connections == 0 && [self.requests, self.up, self.down].allSatisfy { $0.isFull(at: now) }
        }
    }

    /// Connections of clients that were let in.
    package private(set) var connections = 0
    private var accounts: [LimitedParty: Account] = [:]
    private var sweepsAt = 1024
    private var sweptAt: UInt64 = 0
    private let capacity: Int

    /// As often as a full table is looked through, in nanoseconds: once a second costs nothing.
    private static let sweepInterval: UInt64 = 1_000_000_000

    /// - Parameter capacity: 65,536 accounts are some 10 MB.
    package init(capacity: Int = 65_536) {
        self.capacity = capacity
    }

    /// How many accounts there are.
    package var count: Int { self.accounts.count }

    // MARK: Connections

    /// A client connects.
    ///
    /// - Returns: who it counts as; give it to ``leave(_:)`` and ``close()`` at the end.
    package mutating func open(
        _ client: LimitedParty?, under limits: ProxyLimits, at now: UInt64
    ) throws(LimitExcess) -> LimitedParty? {
        if let most = limits.connections, self.connections >= most { throw LimitExcess(.connections) }
        let seat = try client.map { (client) throws(LimitExcess) in
            try self.join(client, under: limits, at: now)
        }
        self.connections += 1
        return seat
    }

    /// The end of a connection that was let in.
    package mutating func close() { self.connections -= 1 }

    /// A connection is one of this client or user from here on.
    ///
    /// - Returns: who it counts as; give it to ``leave(_:)`` at the end.
    package mutating func join(
        _ party: LimitedParty, under limits: ProxyLimits, at now: UInt64
    ) throws(LimitExcess) -> LimitedParty {
        let seat = self.seat(of: party, at: now)
        let connections = self.accounts[seat]?.connections ?? 0
        if let most = limits.share(of: seat).connections, connections >= most {
            throw LimitExcess(seat.isUser ? .userConnections : .clientConnections)
        }
        self.accounts[seat, default: Account()].connections += 1
        return seat
    }

    package mutating func leave(_ seat: LimitedParty, at now: UInt64) {
        guard var account = self.accounts[seat] else { return }
        account.connections -= 1
        self.accounts[seat] = account.isUnused(at: now) ? nil : account
    }

    // MARK: Requests and bytes, of whoever has joined

    /// One request.
    package mutating func request(
        by seat: LimitedParty, under limits: ProxyLimits, at now: UInt64
    ) throws(LimitExcess) {
        guard let rate = limits.share(of: seat).requestRate?.bucket else { return }
        let wait = self.accounts[seat, default: Account()].requests.take(rate, at: now)
        if wait > 0 { throw LimitExcess(seat.isUser ? .userRequestRate : .clientRequestRate, wait: wait) }
    }

    /// Bytes that have moved.
    ///
    /// - Returns: how long no more may move in that direction, in nanoseconds.
    package mutating func spend(
        _ bytes: Int, _ direction: Direction, by seat: LimitedParty, at rate: TokenBucket.Rate, now: UInt64
    ) -> UInt64 {
        switch direction {
        case .up: self.accounts[seat, default: Account()].up.spend(bytes, rate, at: now)
        case .down: self.accounts[seat, default: Account()].down.spend(bytes, rate, at: now)
        }
    }

    /// How long until more may move in both directions, in nanoseconds.
    package func debt(of seat: LimitedParty, at rate: TokenBucket.Rate, now: UInt64) -> UInt64 {
        guard let account = self.accounts[seat] else { return 0 }
        return max(account.up.debt(rate, at: now), account.down.debt(rate, at: now))
    }

    // MARK: Room

    private mutating func seat(of party: LimitedParty, at now: UInt64) -> LimitedParty {
        if self.accounts[party] != nil { return party }
        if self.accounts.count >= self.sweepsAt { self.sweep(at: now) }
        return self.accounts.count < self.capacity ? party : .others(isUser: party.isUser)
    }

    /// Buckets fill up while nobody looks.
    private mutating func sweep(at now: UInt64) {
        guard self.sweptAt == 0 || now >= self.sweptAt + Self.sweepInterval else { return }
        self.sweptAt = now
        self.accounts = self.accounts.filter { !$0.value.isUnused(at: now) }
        self.sweepsAt = min(self.capacity, max(1024, 2 * self.accounts.count))
    }
}

extension ProxyLimits {
    package func share(of party: LimitedParty) -> Share { party.isUser ? self.perUser : self.perClient }
}
