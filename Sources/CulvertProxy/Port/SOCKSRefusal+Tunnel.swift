import CulvertTunnel
import HTTPTypes
import HTTPWire
import NIOCore
import NIOPosix
import SOCKSWire

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The reply to a client whose tunnel could not be opened; log and metrics see what CONNECT would have been answered.
extension SOCKSRefusal {
    init(_ rejection: Rejection) {
        self.init(
            rejection.status == 403 ? .notAllowed : .generalFailure, status: rejection.status,
            reason: rejection.reason)
    }

    init(_ error: TunnelError) {
        let rejection = Rejection(error)
        let reply: SOCKSReply =
            switch error.code {
            case .forbidden: .notAllowed
            case .nameNotResolved: .hostUnreachable
            case .timedOut: .timeToLiveExpired
            case .connectionFailed: Self.reply(toCause: error.underlying)
            case .refusedByProxy where error.refusal?.response.status.code == 403: .notAllowed
            case .tlsFailed, .refusedByProxy, .authenticationFailed, .malformedProxyAnswer, .connectionClosed,
                .invalidConfiguration, .cancelled:
                .generalFailure
            }
        self.init(reply, status: rejection.status, reason: rejection.reason)
    }

    private static func reply(toCause error: (any Error)?) -> SOCKSReply {
        let cause = (error as? NIOConnectionError)?.connectionErrors.last?.error ?? error
        switch (cause as? IOError)?.errnoCode {
        case ECONNREFUSED: return .connectionRefused
        case ENETUNREACH: return .networkUnreachable
        case ETIMEDOUT: return .timeToLiveExpired
        default: return .hostUnreachable
        }
    }
}
