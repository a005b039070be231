import CulvertTunnel
import NIOSSL

/// The subject of a certificate, as far as it names a user.
enum CertificateSubject {
    /// The one common name of the subject; nil when there is none, or several, which could be read two ways.
    static func commonName(of certificate: NIOSSLCertificate) -> String? {
        let name = DistinguishedName(of: .subject, in: certificate)
        let found = (name?.commonNames ?? []).compactMap { $0.flatMap(self.userName) }
        return found.count == 1 ? found[0] : nil
    }

    private static func userName(_ bytes: ArraySlice<UInt8>) -> String? {
        guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { return nil }
        return text
    }
}
