internal import COpenSSL

/// How a server speaks TLS: 1.2 and 1.3, with one certificate.
///
/// `@unchecked`: OpenSSL counts references to a context atomically and locks what sessions share in it; nothing
/// here changes it after it was made.
final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ identity: ServerIdentity) throws(OpenSSLError) {
        let pointer = try made("making a TLS context") { SSL_CTX_new(TLS_server_method()) }
        self.pointer = pointer
        try check("setting a TLS version") {
            Int32(clamping: culvert_ssl_set_minimum_version(pointer, Int(TLS1_2_VERSION)))
        }
        // A peer that asks for a new handshake could make a write wait for a read.
        culvert_ssl_forbid_renegotiation(pointer)
        try check("using a certificate") { SSL_CTX_use_certificate(pointer, identity.certificate.pointer) }
        try check("using a key") { SSL_CTX_use_PrivateKey(pointer, identity.key.pointer) }
        try check("matching a key with its certificate") { SSL_CTX_check_private_key(pointer) }
    }

    deinit { SSL_CTX_free(pointer) }
}
