import CulvertTunnel
import NIOSSL

extension ListenerTLS {
    /// In ALPN.
    static let http2 = "h2"

    /// Reads the files: not on an event loop.
    func makeContext() throws(TunnelError) -> NIOSSLContext {
        let chain = try PEMFile.load("certificate", self.certificateChainFile) {
            try NIOSSLCertificate.fromPEMFile($0).map { NIOSSLCertificateSource.certificate($0) }
        }
        let key = try PEMFile.load("private key", self.privateKeyFile) {
            NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: $0, format: .pem))
        }
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
        configuration.applicationProtocols = (self.allowsHTTP2 ? [Self.http2] : []) + ["http/1.1"]
        if let file = self.clientAuthoritiesFile {
            let authorities = try PEMFile.load("client authorities", file) {
                try NIOSSLCertificate.fromPEMFile($0)
            }
            configuration.trustRoots = .certificates(authorities)
            configuration.certificateVerification = .optionalVerification
            configuration.sendCANameList = true
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .configuration(
                "the TLS listener cannot be set up with \(self.certificateChainFile) and \(self.privateKeyFile): \(error)",
                underlying: error)
        }
    }
}
