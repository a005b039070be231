package import NIOSSL
import SwiftASN1

/// Who signed a certificate, in words for a person: NIOSSL keeps that to itself.
package struct CertificateIssuer: Sendable, Hashable, CustomStringConvertible {
    /// The common name, where there is one.
    package private(set) var commonName: String?
    /// The organization, where there is one.
    package private(set) var organization: String?

    /// Common name and organization.
    package var description: String {
        switch (self.commonName, self.organization) {
        case (let name?, let organization?) where name != organization: "\(name) (\(organization))"
        case (let name?, _): name
        case (nil, let organization?): organization
        case (nil, nil): "an issuer without a name"
        }
    }

    /// `id-at-commonName` and `id-at-organizationName` (RFC 5280 appendix A).
    private static let commonName: ASN1ObjectIdentifier = [2, 5, 4, 3]
    private static let organization: ASN1ObjectIdentifier = [2, 5, 4, 10]

    /// Reads the issuer of a certificate; nil where its bytes cannot be read.
    package init?(_ certificate: NIOSSLCertificate) {
        guard let bytes = try? certificate.toDERBytes(), let root = try? DER.parse(bytes),
            let body = Self.children(of: root).first
        else { return nil }
        let fields = Self.children(of: body)
        // RFC 5280 §4.1: an optional version with a tag of its own, serial number, algorithm, issuer.
        let index = fields.first?.identifier.tagClass == .contextSpecific ? 3 : 2
        guard fields.indices.contains(index) else { return nil }
        for attribute in Self.children(of: fields[index]).flatMap(Self.children) {
            let parts = Self.children(of: attribute)
            guard parts.count == 2, let type = try? ASN1ObjectIdentifier(derEncoded: parts[0]) else {
                continue
            }
            if type == Self.commonName { self.commonName = Self.text(parts[1]) }
            if type == Self.organization { self.organization = Self.text(parts[1]) }
        }
    }

    private static func text(_ node: ASN1Node) -> String? {
        if let text = try? ASN1UTF8String(derEncoded: node) { return String(text) }
        if let text = try? ASN1PrintableString(derEncoded: node) { return String(text) }
        return nil
    }

    private static func children(of node: ASN1Node) -> [ASN1Node] {
        if case .constructed(let children) = node.content { Array(children) } else { [] }
    }
}
