package import NIOSSL
import SwiftASN1

/// The name of a certificate's issuer or subject (RFC 5280 §4.1.2.4): NIOSSL keeps them to itself.
package struct DistinguishedName: Sendable {
    /// Whose name.
    package enum Holder: Sendable, Hashable {
        case issuer, subject
    }

    private let attributes: [(type: ASN1ObjectIdentifier, text: ArraySlice<UInt8>?)]

    /// `id-at-commonName` and `id-at-organizationName` (RFC 5280 appendix A).
    private static let commonName: ASN1ObjectIdentifier = [2, 5, 4, 3]
    private static let organization: ASN1ObjectIdentifier = [2, 5, 4, 10]

    /// Reads it; nil where the certificate's bytes cannot be read.
    package init?(of holder: Holder, in certificate: NIOSSLCertificate) {
        guard let bytes = try? certificate.toDERBytes(), let root = try? DER.parse(bytes),
            let body = Self.children(of: root).first
        else { return nil }
        let fields = Self.children(of: body)
        // RFC 5280 §4.1: an optional version with a tag of its own, serial number, algorithm, issuer, validity, subject.
        let isVersioned = fields.first?.identifier.tagClass == .contextSpecific
        let index = (isVersioned ? 1 : 0) + (holder == .issuer ? 2 : 4)
        guard fields.indices.contains(index) else { return nil }
        self.attributes = Self.children(of: fields[index]).flatMap(Self.children).compactMap { attribute in
            let parts = Self.children(of: attribute)
            guard parts.count == 2, let type = try? ASN1ObjectIdentifier(derEncoded: parts[0]) else {
                return nil
            }
            return (type, Self.text(parts[1]))
        }
    }

    /// In their order; nil for one in a kind of text that is hardly used any more.
    package var commonNames: [ArraySlice<UInt8>?] { self.values(of: Self.commonName) }

    /// As ``commonNames``.
    package var organizations: [ArraySlice<UInt8>?] { self.values(of: Self.organization) }

    private func values(of type: ASN1ObjectIdentifier) -> [ArraySlice<UInt8>?] {
        self.attributes.filter { $0.type == type }.map(\.text)
    }

    private static func text(_ node: ASN1Node) -> ArraySlice<UInt8>? {
        if let text = try? ASN1UTF8String(derEncoded: node) { return text.bytes }
        if let text = try? ASN1PrintableString(derEncoded: node) { return text.bytes }
        return nil
    }

    private static func children(of node: ASN1Node) -> [ASN1Node] {
        if case .constructed(let children) = node.content { Array(children) } else { [] }
    }
}
