/// Why a connection of the harness' own servers cannot go on, where neither the system nor OpenSSL says it.
package enum DuplexStreamError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The server is being stopped.
    case stopped
    /// The peer neither sent nor took anything for too long.
    case timedOut
    /// The peer's bytes ended inside the TLS handshake.
    case endedInHandshake
    /// It was closed by its user.
    case closed

    package var description: String {
        switch self {
        case .stopped: "the server was stopped"
        case .timedOut: "the peer neither sent nor took anything in time"
        case .endedInHandshake: "the connection ended inside the TLS handshake"
        case .closed: "the connection is closed"
        }
    }
}
