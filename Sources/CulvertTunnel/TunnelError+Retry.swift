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

extension HTTPResponse.Status {
    /// The answer of a server that is overloaded, restarts, or has no upstream at the moment.
    package var isTransient: Bool {
        switch self.code {
        case 408, 425, 429, 500, 502, 503, 504: true
        default: false
        }
    }
}
