import HTTPWire
import NIOCore
import NIOSSL
import NIOTLS
import ProxyRoutes

/// Sits behind a TLS handler until its handshake is over, then reports and leaves.
final class TLSHandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let tls: NIOSSLClientHandler
    private let expected: PreparedTLS
    private var report: ((Result<Void, any Error>) -> Void)?

    init(tls: NIOSSLClientHandler, expected: PreparedTLS, report: @escaping (Result<Void, any Error>) -> Void)
    {
        self.tls = tls
        self.expected = expected
        self.report = report
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TLSUserEvent, case .handshakeCompleted = event else {
            return context.fireUserInboundEventTriggered(event)
        }
        if let objection = self.objection {
            self.finish(.failure(objection))
            return context.close(promise: nil)
        }
        // Reported before leaving: what the report adds to the pipeline gets all that follows.
        self.finish(.success(()))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard self.report != nil else { return context.fireErrorCaught(error) }
        self.finish(.failure(error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.finish(.failure(ChannelError.eof))
        context.fireChannelInactive()
    }

    private func finish(_ result: Result<Void, any Error>) {
        let report = self.report
        self.report = nil
        report?(result)
    }

    /// What the TLS library does not check.
    private var objection: (any Error)? {
        if self.expected.isUnverified { return nil }
        if let stranger = self.stranger { return CertificateMismatch(name: stranger) }
        guard !self.expected.pins.isEmpty else { return nil }
        let pin = self.tls.peerCertificate.flatMap { try? PublicKeyPin($0) }
        if let pin, self.expected.pins.contains(pin) { return nil }
        return PublicKeyNotPinned(pin: pin)
    }

    /// The name or address that was to be reached, where the certificate is for others only.
    private var stranger: String? {
        let names = self.tls.peerCertificate.map { CertificateNames($0) }
        if let address = self.expected.address { return names?.contain(address) == true ? nil : "\(address)" }
        return self.expected.serverName.flatMap { names?.contain($0) == true ? nil : $0 }
    }
}

/// The certificate is valid, but for another host.
struct CertificateMismatch: Error, CustomStringConvertible {
    let name: String

    var description: String { "the certificate is for another host: it does not name \(self.name)" }
}
