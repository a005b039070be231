internal import COpenSSL
internal import NIOCore

/// An EC key on P-256.
///
/// `@unchecked`: OpenSSL counts references to a key atomically, and nothing changes it after it was made.
final class PrivateKey: @unchecked Sendable {
    let pointer: OpaquePointer

    /// A fresh key.
    init() throws(OpenSSLError) {
        self.pointer = try made("generating a key") { culvert_ssl_generate_p256() }
    }

    deinit { EVP_PKEY_free(pointer) }

    /// PKCS #8, not encrypted.
    func pem() throws(OpenSSLError) -> ByteBuffer {
        try MemoryBIO.contents("writing a key") {
            PEM_write_bio_PrivateKey($0, pointer, nil, nil, 0, nil, nil)
        }
    }
}
