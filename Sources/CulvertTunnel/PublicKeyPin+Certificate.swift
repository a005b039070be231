import Crypto
import NIOSSL
import ProxyRoutes

extension PublicKeyPin {
    /// The pin of a certificate.
    init(_ certificate: NIOSSLCertificate) throws {
        self.init(digest: Array(SHA256.hash(data: try certificate.extractPublicKey().toSPKIBytes())))
    }
}

/// The certificate is valid, and not one of those that were pinned.
struct PublicKeyNotPinned: Error, CustomStringConvertible {
    let pin: PublicKeyPin?

    var description: String {
        let key = self.pin.map { " (\($0))" } ?? ""
        return "the certificate's public key is none of the pinned ones\(key)"
    }
}
