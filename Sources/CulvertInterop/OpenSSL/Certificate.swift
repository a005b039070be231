internal import COpenSSL
internal import HTTPWire
internal import NIOCore

/// A signed X.509 certificate.
///
/// `@unchecked`: OpenSSL counts references to a certificate atomically, and nothing changes it once it is signed.
package final class Certificate: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over a signed X509.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit { X509_free(pointer) }

    func pem() throws(OpenSSLError) -> ByteBuffer {
        try MemoryBIO.contents("writing a certificate") { PEM_write_bio_X509($0, pointer) }
    }

    /// Base64 of the SHA-256 of the subject's public key with its algorithm (SubjectPublicKeyInfo), as Chromium and
    /// curl name a pinned key.
    package func publicKeyHash() throws(OpenSSLError) -> String {
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), &encoded)
        guard length > 0, let encoded else { throw OpenSSLError("encoding a public key") }
        defer { culvert_ssl_free(encoded) }
        var hash = try SHA256()
        try hash.update(UnsafeRawBufferPointer(start: encoded, count: Int(length)))
        return Base64.encode(try hash.finish())
    }
}

/// A certificate with its key: who a server is.
package struct ServerIdentity: Sendable {
    package let certificate: Certificate
    let key: PrivateKey
}
