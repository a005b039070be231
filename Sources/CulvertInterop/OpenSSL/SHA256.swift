internal import COpenSSL

/// SHA-256 over bytes that come in pieces.
struct SHA256: ~Copyable {
    private let context: OwnedHandle

    init() throws(OpenSSLError) {
        let context = OwnedHandle(try made("making a digest") { EVP_MD_CTX_new() }) { EVP_MD_CTX_free($0) }
        try check("starting a digest") { EVP_DigestInit_ex(context.pointer, EVP_sha256(), nil) }
        self.context = context
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) throws(OpenSSLError) {
        try check("digesting") { EVP_DigestUpdate(context.pointer, bytes.baseAddress, bytes.count) }
    }

    /// The 32 bytes.
    consuming func finish() throws(OpenSSLError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        try check("ending a digest") { EVP_DigestFinal_ex(context.pointer, &digest, nil) }
        return digest
    }
}
