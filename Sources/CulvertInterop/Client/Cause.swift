/// Why a connection could not be opened or used, in words that every client's errors are mapped to, so that two
/// clients can be held against each other.
package enum Cause: Sendable, Hashable {
    /// A name has no address.
    case nameNotResolved
    /// Nothing accepts at an address.
    case connectFailed
    /// The proxy answered CONNECT with this status; nil where the client does not tell it.
    case proxyRefused(status: Int?)
    /// The proxy wants credentials, or others than those it got.
    case proxyAuthentication
    /// TLS with the proxy failed.
    case proxyTLSFailed
    /// TLS with the target failed: wrong authority, wrong name, expired.
    case tlsFailed
    /// The server answered the upgrade with this status.
    case upgradeRefused(status: Int)
    /// The other side broke HTTP's or WebSocket's rules.
    case protocolViolation
    /// The connection ended early.
    case connectionLost
    /// No answer in time.
    case timedOut
    /// What came back is not what was expected.
    case mismatch
    /// Anything else; the detail says what.
    case other
}

/// A failed attempt: its cause, and one sentence for a person.
package struct InteropFailure: Error, Hashable, CustomStringConvertible {
    package var cause: Cause
    package var detail: String

    package init(_ cause: Cause, _ detail: String) {
        self.cause = cause
        self.detail = detail
    }

    package var description: String { "\(self.cause): \(self.detail)" }
}

extension Cause: CustomStringConvertible {
    package var description: String {
        switch self {
        case .nameNotResolved: "name not resolved"
        case .connectFailed: "connect failed"
        case .proxyRefused(let status): "refused by the proxy" + (status.map { " (\($0))" } ?? "")
        case .proxyAuthentication: "proxy authentication"
        case .proxyTLSFailed: "TLS with the proxy"
        case .tlsFailed: "TLS with the target"
        case .upgradeRefused(let status): "upgrade refused (\(status))"
        case .protocolViolation: "protocol violation"
        case .connectionLost: "connection lost"
        case .timedOut: "timed out"
        case .mismatch: "mismatch"
        case .other: "error"
        }
    }
}
