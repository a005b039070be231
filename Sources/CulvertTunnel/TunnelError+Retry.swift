package import HTTPTypes
import NIOCore

extension TunnelError {
    /// Whether the same attempt may succeed later without anybody changing anything.
    public var isTransient: Bool {
        switch self.code {
        case .nameNotResolved, .connectionFailed, .connectionClosed, .timedOut: true
        case .refusedByProxy: self.refusal?.response.status.isTransient ?? false
        // A peer that went away in the middle; a certificate stays as it is.
        case .tlsFailed: self.underlying is IOError || (self.underlying as? ChannelError) == .eof
        case .invalidConfiguration, .authenticationFailed, .malformedProxyAnswer, .forbidden, .cancelled:
            false
        }
    }
}

extension TunnelError {
    /// Whether the first proxy of a route could not be reached. What it answers, a 407 or a bad certificate included,
    /// is no such failure.
    package var isUnreachableProxy: Bool {
        switch (self.phase, self.code) {
        case (.resolve, .nameNotResolved): self.fault == .network
        case (.resolve, .timedOut), (.connect, .connectionFailed), (.connect, .timedOut): true
        case (.proxyTLS, .tlsFailed): self.isTransient
        case (.configuration, _), (.resolve, _), (.connect, _), (.proxyTLS, _), (.proxyConnect, _),
            (.targetTLS, _):
            false
        }
    }

    /// The error with those of the routes that were tried before.
    func behind(_ failures: [String]) -> TunnelError {
        TunnelError(
            self.code, phase: self.phase, fault: self.fault,
            detail: "\(self.detail); tried before: \(failures.joined(separator: "; "))",
            refusal: self.refusal,
            underlying: self.underlying)
    }
}

extension HTTPResponse.Status {
    /// The answer of a server that is overloaded, restarts, or has no upstream at the moment.
    package var isTransient: Bool {
        switch self.code {
        case 408, 425, 429, 500, 502, 503, 504: true
        default: false
        }
    }
}
