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
    }

    let machine: ConnectServerMachine
    let request: ProxyRequest
    let obstacle: Obstacle
}
