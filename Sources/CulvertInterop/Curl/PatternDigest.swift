import COpenSSL

/// SHA-256 over ``PatternBytes``.
enum PatternDigest {
    /// In lower-case hex; nil if OpenSSL refuses, which it has no reason to.
    static func sha256(ofBytes count: Int) -> String? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { return nil }
        var isGood = true
        PatternBytes.walk(count, at: 0) { piece, _ in
            isGood = EVP_DigestUpdate(context, piece.baseAddress, piece.count) == 1
            return isGood
        }
        var digest = [UInt8](repeating: 0, count: 32)
        guard isGood, EVP_DigestFinal_ex(context, &digest, nil) == 1 else { return nil }
        return digest.map { byte in
            let hex = String(byte, radix: 16)
            return hex.count == 1 ? "0" + hex : hex
        }.joined()
    }
}
