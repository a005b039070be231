import HTTPWire
import NIOCore
import ProxyPolicy
import Synchronization

/// What the limits have to say to one client connection, from its beginning to its end, which for a spliced tunnel is
/// later than that of its channel.
final class ClientPermit: Sendable {
    /// A class: most connections have none, and there may be many of them.
    private final class User: Sendable {
        let name: String
        let seat: LimitedParty

        init(name: String, seat: LimitedParty) {
            self.name = name
            self.seat = seat
        }
    }

    private struct State {
        var user: User?
        var holders = 1
    }

    /// The connection is one too many, and its first request is to be told.
    let excess: LimitExcess?
    private let limiter: Limiter
    private let client: LimitedParty?
    private let state = Mutex(State())

    init(_ limiter: Limiter, client: LimitedParty?, excess: LimitExcess?) {
        self.limiter = limiter
        self.client = client
        self.excess = excess
    }

    /// A connection that is one too many is told by the answer to its first request, if that comes soon.
    private static let refusalTime = Duration.seconds(5)

    /// How long the head of a request may take.
    func headTime(_ configuration: ProxyConfiguration) -> TimeAmount {
        let time = configuration.headTimeout
        return TimeAmount(self.excess == nil ? time : min(time, Self.refusalTime))
    }

    /// Somebody else will ``release()`` it too.
    func keep() {
        self.state.withLock { $0.holders += 1 }
    }

    /// After the last one the connection counts no more.
    func release() {
        let isLast = self.state.withLock { state in
            state.holders -= 1
            return state.holders == 0
        }
        guard isLast else { return }
        let user = self.state.withLock { $0.user?.seat }
        self.limiter.end(client: self.client, user: user, wasRefused: self.excess != nil)
    }

    /// A request's head came, and nobody knows yet whose it is.
    func request(under limits: ProxyLimits) -> LimitExcess? {
        if let excess { return excess }
        guard let client, limits.perClient.requestRate != nil else { return nil }
        return self.limiter.withLedger { ledger, now in
            Self.excess { () throws(LimitExcess) in
                try ledger.request(by: client, under: limits, at: now)
            }
        }
    }

    /// The request is this user's, if anybody's, and so is the connection from here on.
    func request(by user: String?, under limits: ProxyLimits) -> LimitExcess? {
        guard let user else { return nil }
        return self.state.withLock { state in
            // The connection has ended: a seat taken now would be nobody's to give back.
            guard state.holders > 0 else { return nil }
            return self.limiter.withLedger { ledger, now in
                Self.excess { () throws(LimitExcess) in
                    if state.user?.name != user {
                        let seat = try ledger.join(.user(user), under: limits, at: now)
                        if let former = state.user { ledger.leave(former.seat, at: now) }
                        state.user = User(name: user, seat: seat)
                    }
                    if let seat = state.user?.seat { try ledger.request(by: seat, under: limits, at: now) }
                }
            }
        }
    }

    /// The bandwidth that counts for the request under way; nil when none is limited.
    func bandwidth(under limits: ProxyLimits) -> SharedBandwidth? {
        // Asked for every request, and hardly ever set.
        if limits.perClient.bandwidth == nil, limits.perUser.bandwidth == nil { return nil }
        let seats = [self.client, self.state.withLock { $0.user?.seat }].compactMap { $0 }
        return SharedBandwidth(self.limiter, seats, under: limits)
    }

    private static func excess(_ body: () throws(LimitExcess) -> Void) -> LimitExcess? {
        do {
            try body()
            return nil
        } catch {
            return error
        }
    }
}
