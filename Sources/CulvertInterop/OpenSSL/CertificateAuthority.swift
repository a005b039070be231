/// An authority that lives as long as the run, and the certificates that a run needs.
///
/// Its key is never written anywhere.
package final class CertificateAuthority: Sendable {
    /// The root, which clients are told to trust.
    package let certificate: Certificate
    private let key: PrivateKey
    /// For localhost, 127.0.0.1 and ::1. All servers of a run share it, so that a client that pins a key can.
    package let leaf: ServerIdentity
    /// Valid, but for example.org.
    package let wrongName: ServerIdentity
    /// For localhost, since two days no longer.
    package let expired: ServerIdentity
    /// An authority that has issued nothing.
    package let other: Certificate

    /// Mints all of it.
    package init() throws(OpenSSLError) {
        let key = try PrivateKey()
        let root = try CertificateTemplate(commonName: "Culvert interop authority", role: .authority)
            .sign(key, issuer: nil)
        self.key = key
        self.certificate = root
        let leaf = CertificateTemplate(
            commonName: "localhost", dnsNames: ["localhost"], addresses: ["127.0.0.1", "::1"])
        self.leaf = try Self.issue(leaf, by: (root, key))
        self.wrongName = try Self.issue(
            CertificateTemplate(commonName: "example.org", dnsNames: ["example.org"]), by: (root, key))
        var expired = leaf
        expired.validFrom = .seconds(-4 * 86400)
        expired.validUntil = .seconds(-2 * 86400)
        self.expired = try Self.issue(expired, by: (root, key))
        self.other = try CertificateTemplate(commonName: "Culvert interop stranger", role: .authority)
            .sign(PrivateKey(), issuer: nil)
    }

    /// A certificate of this authority, with a key of its own.
    package func issue(_ template: CertificateTemplate) throws(OpenSSLError) -> ServerIdentity {
        try Self.issue(template, by: (certificate, key))
    }

    private static func issue(
        _ template: CertificateTemplate, by issuer: (Certificate, PrivateKey)
    ) throws(OpenSSLError) -> ServerIdentity {
        let key = try PrivateKey()
        return ServerIdentity(certificate: try template.sign(key, issuer: issuer), key: key)
    }
}
