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
        // The log tells all; the client learns nothing of inner addresses or of the parent.
        let text =
            switch (error.code, error.phase) {
            case (.forbidden, _): "the proxy's rules forbid an address of this target"
            case (.timedOut, .proxyTLS), (.timedOut, .proxyConnect): "the parent proxy did not answer in time"
            case (_, .proxyTLS), (_, .proxyConnect): "the parent proxy did not open the tunnel"
            case (_, .configuration): "the proxy is not set up to open this tunnel"
            case (_, .resolve), (_, .connect), (_, .targetTLS): error.detail
            }
        self.init(status: status, reason: error.description, text: text, fields: [:])
    }
}
