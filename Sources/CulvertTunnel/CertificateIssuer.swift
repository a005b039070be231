package import NIOSSL

/// Who signed a certificate, in words for a person: NIOSSL keeps that to itself.
package struct CertificateIssuer: Sendable, Hashable, CustomStringConvertible {
    /// The common name, where there is one.
    package let commonName: String?
    /// The organization, where there is one.
    package let organization: String?

    /// Common name and organization.
    package var description: String {
        switch (self.commonName, self.organization) {
        case (let name?, let organization?) where name != organization: "\(name) (\(organization))"
        case (let name?, _): name
        case (nil, let organization?): organization
        case (nil, nil): "an issuer without a name"
        }
    }

    /// Reads the issuer of a certificate; nil where its bytes cannot be read.
    package init?(_ certificate: NIOSSLCertificate) {
        guard let name = DistinguishedName(of: .issuer, in: certificate) else { return nil }
        self.commonName = Self.last(of: name.commonNames)
        self.organization = Self.last(of: name.organizations)
    }

    private static func last(of values: [ArraySlice<UInt8>?]) -> String? {
        values.last.flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
    }
}
