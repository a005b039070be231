import CulvertTunnel
import HTTPWire
import ProxyPolicy

/// A request that came to nothing before its connection met SwiftNIO, and waits there for its answer.
struct BegunRequest: Sendable {
    enum Obstacle: Sendable {
        /// The target could not be reached; the machine waits for the outcome of the dial.
        case dialFailed(TunnelError)
        /// One of the target's addresses did not answer, and the others are to be tried too; the machine waits for the
        /// outcome of the dial.
        case toBeDialledAgain
        /// A limit of its client; the machine waits for a decision.
        case beyond(LimitExcess)
        /// Nothing of it has reached its origin, and it is to be forwarded from here; the machine waits for the end of
        /// that.
        case toBeForwarded(ForwardRequest)
        /// Its origin gave no answer; the machine waits for the end of the exchange.
        case unanswered(Rejection, mayPersist: Bool)
        /// It is answered, and the connection is to carry no other.
        case answered
    }

    let machine: ConnectServerMachine
    let request: ProxyRequest
    let obstacle: Obstacle
}
