import Crypto

/// The keyed hash of NTLMv2.
enum HMACMD5 {
    static func code(over message: [UInt8], key: [UInt8]) -> [UInt8] {
        Array(HMAC<Insecure.MD5>.authenticationCode(for: message, using: SymmetricKey(data: key)))
    }
}
