import HTTPWire

/// The SHA-256 digest of a certificate's public key (its SubjectPublicKeyInfo, as in RFC 7469 §2.4): stays the same
/// when the certificate is renewed with the same key.
///
/// `openssl x509 -in cert.pem -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary |
/// base64` computes it.
public struct PublicKeyPin: Sendable, Hashable, CustomStringConvertible {
    private let digest: [UInt8]

    /// Parses `sha256//` (as curl writes it) or `sha256/` and the digest in Base64; nil for anything else.
    public init?(_ text: String) {
        let prefixes = ["sha256//", "sha256/"]
        guard let prefix = prefixes.first(where: text.hasPrefix),
            let digest = Base64.decode(String(text.dropFirst(prefix.count))), digest.count == 32
        else { return nil }
        self.digest = digest
    }

    /// - Parameter digest: 32 octets.
    package init(digest: [UInt8]) {
        self.digest = digest
    }

    /// As curl writes it.
    public var description: String { "sha256//\(Base64.encode(self.digest))" }
}
