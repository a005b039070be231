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
        if let address = self.expected.address, !self.certificateNames(address) {
            return CertificateAddressMismatch(address: address)
        }
        guard !self.expected.pins.isEmpty else { return nil }
        let pin = self.tls.peerCertificate.flatMap { try? PublicKeyPin($0) }
        if let pin, self.expected.pins.contains(pin) { return nil }
        return PublicKeyNotPinned(pin: pin)
    }

    private func certificateNames(_ address: IPAddress) -> Bool {
        guard let certificate = self.tls.peerCertificate else { return false }
        return certificate._subjectAlternativeNames().contains { name in
            name.nameType == .ipAddress && IPAddress(bytes: Array(name.contents)) == address
        }
    }
}

/// The certificate is valid, but for another host.
struct CertificateAddressMismatch: Error, CustomStringConvertible {
    let address: IPAddress

    var description: String { "the certificate does not name \(self.address)" }
}
