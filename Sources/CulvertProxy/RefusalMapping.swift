import CulvertTunnel
import HTTPTypes
import HTTPWire
import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

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
        self.init(status: status, reason: error.description, text: text, error: error.proxyStatus)
    }

    /// What a dial failed with.
    init(dialing error: any Error) {
        self =
            (error as? TunnelError).map(Self.init)
            ?? Self(status: 502, reason: "\(error)", text: "the target could not be reached")
    }

    /// What the dial of a parent that forwards failed with; the client learns nothing of where it is.
    init(dialingParent error: any Error) {
        self.init(dialing: error)
        self.text =
            self.status == 504
            ? "the parent proxy did not answer in time" : "the parent proxy could not be reached"
    }

    /// From now on its credentials go out unasked.
    static let parentNeedsAnotherTry = Self(
        status: 503, reason: "the parent asked for credentials behind a body that is gone",
        text: "the parent proxy wanted credentials first; they are known now: send the request again",
        fields: [.retryAfter: "0"])

    /// The parent's 407 is between it and this proxy.
    static func parentAuthentication(_ reason: String) -> Self {
        Self(
            status: 502, reason: reason, text: "the parent proxy did not let this proxy in",
            error: .configurationError)
    }
}

extension TunnelError {
    /// The error by its name in `Proxy-Status` (RFC 9209 §2.3).
    fileprivate var proxyStatus: ProxyError {
        switch self.code {
        case .forbidden: .destinationAddressProhibited
        case .nameNotResolved: .dnsError
        case .timedOut: self.phase == .resolve ? .dnsTimeout : .connectionTimeout
        case .connectionFailed: self.isRefusal ? .connectionRefused : .destinationUnavailable
        case .connectionClosed: .connectionTerminated
        case .tlsFailed:
            self.detail.contains("certificate") ? .tlsCertificateError : .tlsProtocolError
        case .malformedProxyAnswer: .protocolError
        case .refusedByProxy: .destinationUnavailable
        case .authenticationFailed, .invalidConfiguration: .configurationError
        case .cancelled: .internalError
        }
    }

    private var isRefusal: Bool {
        let connection = self.underlying as? NIOConnectionError
        let error = connection?.connectionErrors.last?.error ?? self.underlying
        return (error as? IOError)?.errnoCode == ECONNREFUSED
    }
}
