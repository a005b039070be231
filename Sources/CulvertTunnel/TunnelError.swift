public import ProxyRoutes

/// Why a tunnel could not be opened: in which phase, whose fault it is, and what to do next.
public struct TunnelError: Error, Sendable {
    /// What the dialer was doing.
    public enum Phase: Sendable, Hashable {
        /// Choosing the route: proxy URLs, environment, certificates.
        case configuration
        /// Looking up the name of the target, or of the first proxy.
        case resolve
        /// Connecting TCP to the target, or to the first proxy.
        case connect
        /// TLS with a proxy.
        case proxyTLS(ProxyHop)
        /// CONNECT, or the exchange of SOCKS, at a proxy, with its authentication.
        case proxyConnect(ProxyHop)
        /// TLS with the target, inside the tunnel.
        case targetTLS
    }

    /// Who has to act.
    public enum Fault: Sendable, Hashable {
        /// The caller, who set something that cannot work.
        case configuration
        /// The network or the name service.
        case network
        /// The proxy, or the credentials for it.
        case proxy
        /// The target.
        case target
        /// A rule forbids the target.
        case policy
        /// The task was cancelled.
        case cancellation
    }

    /// What went wrong.
    public enum Code: Sendable, Hashable {
        /// A proxy URL, a variable or a certificate file is unusable.
        case invalidConfiguration
        /// The name has no address.
        case nameNotResolved
        /// No address of the host accepted the connection.
        case connectionFailed
        /// The TLS handshake failed, or the certificate was not the right one.
        case tlsFailed
        /// The proxy answered CONNECT or the request of SOCKS with a refusal.
        case refusedByProxy
        /// The proxy wants other credentials than those at hand, or a scheme that is not spoken here.
        case authenticationFailed
        /// The proxy's answer is not HTTP, or not SOCKS, or breaks the rules or limits.
        case malformedProxyAnswer
        /// The connection ended before the tunnel stood.
        case connectionClosed
        /// The deadline over everything passed.
        case timedOut
        /// A rule forbids the address.
        case forbidden
        /// The task was cancelled.
        case cancelled
    }

    /// What went wrong.
    public let code: Code
    /// What the dialer was doing.
    public let phase: Phase
    /// Who has to act.
    public let fault: Fault
    /// One sentence for a person.
    public let detail: String
    /// The proxy's answer, when it refused.
    public let refusal: ProxyRefusal?
    /// The error beneath, when there is one.
    public let underlying: (any Error)?

    init(
        _ code: Code,
        phase: Phase,
        fault: Fault,
        detail: String,
        refusal: ProxyRefusal? = nil,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.phase = phase
        self.fault = fault
        self.detail = detail
        self.refusal = refusal
        self.underlying = underlying
    }

    /// The connection broke as it was handed over.
    package static func lost(_ error: any Error) -> TunnelError {
        TunnelError(
            .connectionClosed, phase: .connect, fault: .network,
            detail: "the tunnel could not be opened: \(error)",
            underlying: error)
    }

    package static func configuration(_ detail: String, underlying: (any Error)? = nil) -> TunnelError {
        TunnelError(
            .invalidConfiguration, phase: .configuration, fault: .configuration, detail: detail,
            underlying: underlying)
    }
}

extension TunnelError: CustomStringConvertible {
    /// The phase and the detail.
    public var description: String { "\(self.phase): \(self.detail)" }
}

extension TunnelError.Phase: CustomStringConvertible {
    /// The phase as a message begins with it.
    public var description: String {
        switch self {
        case .configuration: "configuration"
        case .resolve: "name lookup"
        case .connect: "connect"
        case .proxyTLS(let hop): "TLS with proxy \(hop)"
        case .proxyConnect(let hop): "\(hop.scheme.isSOCKS ? "SOCKS" : "CONNECT") at proxy \(hop)"
        case .targetTLS: "TLS with the target"
        }
    }
}
