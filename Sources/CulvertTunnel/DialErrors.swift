package import HTTPWire
package import NIOCore
import NIOPosix
import NIOSSL
package import ProxyAuth

/// Turns what SwiftNIO throws into errors that a person can act on.
package enum DialErrors {
    package static func connect(_ error: any Error, peer: Authority) -> TunnelError {
        if let error = error as? UnixSocketUnreachable {
            return TunnelError(
                .connectionFailed, phase: .connect, fault: .network,
                detail: "cannot connect to \(error.path): \(plainDescription(of: error.error))",
                underlying: error.error)
        }
        guard let connection = error as? NIOConnectionError else {
            return TunnelError(
                .connectionFailed, phase: .connect, fault: .network,
                detail: "cannot connect to \(peer): \(plainDescription(of: error))", underlying: error)
        }
        let dns = connection.dnsAError ?? connection.dnsAAAAError
        if let forbidden = dns as? AddressForbidden {
            return TunnelError(
                .forbidden, phase: .resolve, fault: .policy, detail: "\(peer.host): \(forbidden.reason)")
        }
        guard let last = connection.connectionErrors.last else {
            let detail = (dns as? NameNotResolved)?.reason ?? "it has no address"
            return TunnelError(
                .nameNotResolved, phase: .resolve, fault: .network,
                detail: "cannot resolve \(peer.host): \(detail)", underlying: dns)
        }
        return TunnelError(
            .connectionFailed, phase: .connect, fault: .network,
            detail: "cannot connect to \(peer): \(plainDescription(of: last.error))", underlying: error)
    }

    /// The deadline passed.
    ///
    /// - Parameter peer: who has not answered.
    package static func timedOut(_ peer: String, in phase: TunnelError.Phase, after timeout: TimeAmount)
        -> TunnelError
    {
        let fault: TunnelError.Fault =
            switch phase {
            case .configuration, .resolve, .connect: .network
            case .proxyTLS, .proxyConnect: .proxy
            case .targetTLS: .target
            }
        let seconds = Double(timeout.nanoseconds) / 1e9
        return TunnelError(
            .timedOut, phase: phase, fault: fault, detail: "no answer from \(peer) within \(seconds) s")
    }

    /// - Parameter offered: the challenges that could not be answered.
    package static func authentication(
        _ failure: ProxyAuthenticationFailure, offered challenges: [Challenge]
    ) -> String {
        let offered = challenges.map(\.description).joined(separator: ", ")
        return switch failure {
        case .credentialsMissing(let ticket):
            "the proxy answered 407 and wants credentials (\(offered)); put them in its URL: http://user:password@host:port"
                + (ticket.map { "; there is \($0)" } ?? "")
        case .rejected:
            "the proxy answered 407 again: it rejects the user name or password (\(offered))"
        case .credentialsUnsendable:
            "the proxy answered 407 (\(offered)), but this user name or password cannot be sent: no control characters, and with Basic no colon in the name"
        case .schemesUnsupported(let schemes):
            "the proxy answered 407 and offers only \(schemes.joined(separator: ", ")), which is not allowed or cannot be used with these credentials"
        case .negotiateUnavailable(let reason):
            "the proxy answered 407 and wants Kerberos (\(offered)), but \(reason)"
        case .connectionNotKept:
            "the proxy closed the connection in the middle of the authentication, which belongs to that connection"
        case .malformedChallenge(let scheme):
            "the proxy's \(scheme.rawValue) challenge is malformed"
        }
    }

    static func describeTLS(_ error: any Error) -> String {
        switch error {
        case is CertificateMismatch, is PublicKeyNotPinned:
            "\(error)"
        case let error as ChannelError where error == .eof:
            "the peer closed the connection"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "the certificate is for another host"
        case NIOSSLError.handshakeFailed(let inner) where "\(inner)".contains("CERTIFICATE_VERIFY_FAILED"):
            "the certificate is not from a trusted authority (CERTIFICATE_VERIFY_FAILED)"
        case NIOSSLError.handshakeFailed(let inner) where "\(inner)".contains("WRONG_VERSION_NUMBER"):
            "the peer does not speak TLS on this port (WRONG_VERSION_NUMBER)"
        case NIOSSLError.handshakeFailed(.sslError(let stack)) where "\(stack)".contains("eofDuringHandshake"):
            "the peer closed the connection"
        default:
            "\(error)"
        }
    }
}

/// Nobody listens at the path, or it is none.
struct UnixSocketUnreachable: Error {
    let path: String
    let error: any Error
}
