import HTTPWire
import NIOCore
import ProxyPolicy
import Synchronization

/// The ledger of limits that all connections of one server share. It outlives reloads, as connections do.
final class Limiter: Sendable {
    private struct State {
        var ledger = LimitLedger()
        /// Connections that are beyond a limit and wait to be told so.
        var refused = 0
    }

    private let state = Mutex(State())

    /// More than these are closed without a word: what is beyond a limit must not cost what the limit saves.
    private static let maxRefused = 128

    /// A client connects. Nil when it is not even worth an answer.
    func permit(for client: IPAddress?, under limits: ProxyLimits) -> ClientPermit? {
        self.state.withLock { state -> ClientPermit? in
            do throws(LimitExcess) {
                let party = client.map(LimitedParty.client(at:))
                let seat = try state.ledger.open(party, under: limits, at: Self.now)
                return ClientPermit(self, client: seat, excess: nil)
            } catch {
                guard state.refused < Self.maxRefused else { return nil }
                state.refused += 1
                return ClientPermit(self, client: nil, excess: error)
            }
        }
    }

    func end(client: LimitedParty?, user: LimitedParty?, wasRefused: Bool) {
        self.state.withLock { state in
            if wasRefused { state.refused -= 1 } else { state.ledger.close() }
            if let client { state.ledger.leave(client, at: Self.now) }
            if let user { state.ledger.leave(user, at: Self.now) }
        }
    }

    func withLedger<Result>(_ body: (inout LimitLedger, _ now: UInt64) -> Result) -> Result {
        self.state.withLock { body(&$0.ledger, Self.now) }
    }

    private static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }
}
