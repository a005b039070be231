import CulvertTunnel
import HTTPTypes
import HTTPWire

/// The answer to a client whose tunnel could not be opened: the fault picks the status.
extension ConnectServerMachine.Rejection {
    init(_ error: TunnelError) {
        let status: Int =
            switch error.code {
            case .forbidden: 403
            case .timedOut: 504
            case .invalidConfiguration, .cancelled: 500
            case .refusedByProxy where error.refusal?.response.status.code == 504: 504
            case .nameNotResolved, .connectionFailed, .tlsFailed, .refusedByProxy, .authenticationFailed,
                .malformedProxyAnswer, .connectionClosed:
                502
            }
        self.init(status: status, reason: error.description, text: error.detail, fields: [:])
    }
}
