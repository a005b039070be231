import CulvertTunnel
import HTTPTypes
import WebSocketWire

extension WebSocketError {
    /// Whether the same attempt may succeed later without anybody changing anything: the network, or a server or
    /// proxy that is overloaded or restarts. Not so for refusals, bad certificates, broken protocols and the caller's
    /// own mistakes.
    public var isTransient: Bool {
        switch self {
        case .tunnel(let error): error.isTransient
        case .upgradeRefused(let refusal): refusal.response.status.isTransient
        case .closed(let close): close.code.isTransient
        case .upgradeTimedOut, .connectionLost, .keepaliveTimedOut: true
        case .invalidRequest, .upgradeFailed, .redirectRefused, .protocolViolation, .unsendable: false
        }
    }

    /// How long the server asked to wait, in seconds (RFC 9110 §10.2.3); dates are not read.
    var retryAfter: Duration? {
        guard case .upgradeRefused(let refusal) = self, let text = refusal.response.headerFields[.retryAfter],
            let seconds = UInt32(text)
        else { return nil }
        return .seconds(Int(seconds))
    }
}

extension WebSocketCloseCode {
    /// The server went away, met a passing condition, or says itself: try again.
    fileprivate var isTransient: Bool {
        switch self {
        case .goingAway, .internalError, .serviceRestart, .tryAgainLater, .badGateway: true
        default: false
        }
    }
}
