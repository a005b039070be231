import NIOSSL
import SwiftASN1

/// The subject of a certificate, as far as it names a user.
enum CertificateSubject {
    /// `id-at-commonName` (RFC 5280 appendix A).
    private static let commonName: ASN1ObjectIdentifier = [2, 5, 4, 3]

    /// The one common name of the subject; nil when there is none, or several, which could be read two ways.
    static func commonName(of certificate: NIOSSLCertificate) -> String? {
        guard let bytes = try? certificate.toDERBytes(), let root = try? DER.parse(bytes),
            let body = self.children(of: root)?.first, let fields = self.children(of: body)
        else { return nil }
        // RFC 5280 §4.1: the version is optional and has a tag of its own; subject is the fifth field behind it.
        let hasVersion = fields.first?.identifier.tagClass == .contextSpecific
        let index = hasVersion ? 5 : 4
        guard fields.indices.contains(index), let names = self.children(of: fields[index]) else { return nil }
        let found = names.flatMap { self.children(of: $0) ?? [] }.compactMap(self.commonName(in:))
        return found.count == 1 ? found[0] : nil
    }

    /// The value of one `AttributeTypeAndValue`, when its type is the common name.
    private static func commonName(in attribute: ASN1Node) -> String? {
        guard let parts = self.children(of: attribute), parts.count == 2,
            let type = try? ASN1ObjectIdentifier(derEncoded: parts[0]), type == self.commonName
        else { return nil }
        if let text = try? ASN1UTF8String(derEncoded: parts[1]) { return self.name(text.bytes) }
        if let text = try? ASN1PrintableString(derEncoded: parts[1]) { return self.name(text.bytes) }
        return nil
    }

    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { return nil }
        return text
    }

    private static func children(of node: ASN1Node) -> [ASN1Node]? {
        guard case .constructed(let children) = node.content else { return nil }
        return Array(children)
    }
}
