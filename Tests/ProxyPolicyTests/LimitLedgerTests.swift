import HTTPWire
import Testing

@testable import ProxyPolicy

private let second: UInt64 = 1_000_000_000
private let alice = LimitedParty.user("alice")

@Suite("the ledger of limits")
struct LimitLedgerTests {
    private func client(_ text: String) throws -> LimitedParty {
        .client(at: try #require(IPAddress(text)))
    }

    /// Which limit a call meets.
    private func excess<Result>(_ body: () throws -> Result) -> LimitExcess? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? LimitExcess
        }
    }

    @Test("connections in all and of each client, and room again when one ends")
    func connections() throws {
        var ledger = LimitLedger()
        let limits = ProxyLimits {
            $0.connections = 3
            $0.perClient.connections = 2
        }
        let (one, two) = (try client("192.0.2.1"), try client("192.0.2.2"))
        #expect(try ledger.open(one, under: limits, at: 0) == one)
        #expect(try ledger.open(one, under: limits, at: 0) == one)
        #expect(excess { try ledger.open(one, under: limits, at: 0) }?.limit == .clientConnections)
        #expect(try ledger.open(two, under: limits, at: 0) == two)
        let tooMany = excess { try ledger.open(two, under: limits, at: 0) }
        #expect(tooMany == LimitExcess(.connections))
        #expect(tooMany?.status == 503)
        ledger.close()
        ledger.leave(one, at: 0)
        #expect(try ledger.open(one, under: limits, at: 0) == one)
        #expect(ledger.connections == 3)
        // Whoever has no address is no client, and counts in all.
        #expect(excess { try ledger.open(nil, under: limits, at: 0) }?.limit == .connections)
        #expect(try ledger.open(nil, under: ProxyLimits(), at: 0) == nil)
    }

    @Test(
        "one client is an IPv4 address or the /64 of an IPv6 one",
        arguments: [
            ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true), ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ])
    func clients(one: String, other: String, isSame: Bool) throws {
        #expect((try client(one) == client(other)) == isSame)
    }

    @Test("users have limits of their own, wherever they come from")
    func users() throws {
        var ledger = LimitLedger()
        let limits = ProxyLimits {
            $0.perUser.connections = 1
            $0.perUser.requestRate = RequestRate(2, per: .minute)
        }
        #expect(try ledger.join(alice, under: limits, at: 0) == alice)
        #expect(excess { try ledger.join(alice, under: limits, at: 0) }?.limit == .userConnections)
        #expect(try ledger.join(.user("bob"), under: limits, at: 0) == .user("bob"))
        #expect(
            excess { try ledger.request(by: alice, under: limits, at: 0) } == nil)
        #expect(
            excess { try ledger.request(by: alice, under: limits, at: 0) } == nil)
        let third = excess {
            try ledger.request(by: alice, under: limits, at: second / 2)
        }
        #expect(third?.limit == .userRequestRate)
        #expect(third?.status == 429)
        #expect(third?.retryAfter == 30)
        // A reload counts at once.
        let wider = ProxyLimits { $0.perUser.requestRate = RequestRate(60, per: .minute) }
        #expect(
            excess { try ledger.request(by: alice, under: wider, at: second) }
                == nil)
    }

    @Test("each direction has the bandwidth for itself")
    func bandwidth() throws {
        var ledger = LimitLedger()
        let limits = ProxyLimits { $0.perUser.bandwidth = 1000 }
        let seat = try ledger.join(alice, under: limits, at: 0)
        let rate = TokenBucket.Rate.bytesPerSecond(1000)
        #expect(ledger.spend(1250, .down, by: seat, at: rate, now: 0) == second)
        #expect(ledger.spend(250, .up, by: seat, at: rate, now: 0) == 0)
        #expect(ledger.debt(of: seat, at: rate, now: 0) == second)
        #expect(ledger.debt(of: .user("bob"), at: rate, now: 0) == 0)
    }

    @Test("an account stays while a bucket remembers something, and no longer")
    func memory() throws {
        var ledger = LimitLedger()
        let limits = ProxyLimits { $0.perUser.requestRate = RequestRate(1, per: .minute) }
        for _ in 0..<2 {
            let seat = try ledger.join(alice, under: limits, at: 0)
            ledger.leave(seat, at: 0)
        }
        #expect(ledger.count == 0)
        _ = try ledger.join(alice, under: limits, at: 0)
        try ledger.request(by: alice, under: limits, at: 0)
        ledger.leave(alice, at: second)
        // To leave and come back buys nothing.
        #expect(ledger.count == 1)
        _ = try ledger.join(alice, under: limits, at: second)
        #expect(
            excess { try ledger.request(by: alice, under: limits, at: second) }
                != nil)
        ledger.leave(alice, at: 61 * second)
        #expect(ledger.count == 0)
    }

    @Test("a full table is bounded: who comes then shares one account, until there is room")
    func bounded() throws {
        var ledger = LimitLedger(capacity: 2000)
        let limits = ProxyLimits { $0.perClient.requestRate = RequestRate(1, per: .minute) }
        func arrive(_ number: UInt32, at now: UInt64) throws -> LimitedParty {
            let seat = try #require(try ledger.open(.client(.v4(number)), under: limits, at: now))
            try? ledger.request(by: seat, under: limits, at: now)
            ledger.close()
            ledger.leave(seat, at: now)
            return seat
        }
        for number in 0..<UInt32(5000) { _ = try arrive(number, at: second) }
        #expect(ledger.count <= 2001)
        #expect(try arrive(6000, at: second) == .others(isUser: false))
        // A minute later all buckets are full: they are swept out.
        #expect(try arrive(6001, at: 62 * second) == .client(.v4(6001)))
        #expect(ledger.count < 10)
    }
}
