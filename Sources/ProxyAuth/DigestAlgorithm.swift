import Crypto
import HTTPWire

/// A hash of the Digest scheme (RFC 7616 §6.1) and whether its key is bound to the session.
struct DigestAlgorithm: Sendable, Hashable {
    enum Function: String, Sendable, Hashable {
        case md5 = "MD5"
        case sha256 = "SHA-256"
        case sha512256 = "SHA-512-256"
    }

    let function: Function
    /// The `-sess` variants hash both nonces into the key.
    let isSession: Bool

    static let md5 = DigestAlgorithm(function: .md5, isSession: false)

    init(function: Function, isSession: Bool) {
        self.function = function
        self.isSession = isSession
    }

    /// nil for a name that is not known, and for a hash that this system does not offer.
    init?(_ name: String) {
        let upper = name.uppercased()
        let isSession = upper.hasSuffix("-SESS")
        guard let function = Function(rawValue: isSession ? String(upper.dropLast(5)) : upper) else {
            return nil
        }
        if function == .sha512256, !SystemDigest.hasSHA512256 { return nil }
        self.init(function: function, isSession: isSession)
    }

    /// In lower-case hexadecimal digits.
    func hash(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let digest: [UInt8] =
            switch self.function {
            case .md5: Array(Insecure.MD5.hash(data: bytes))
            case .sha256: Array(SHA256.hash(data: bytes))
            case .sha512256: SystemDigest.sha512256(bytes) ?? []
            }
        return Hexadecimal.encode(digest)
    }
}

/// Lower-case hexadecimal digits.
enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    /// The octets of an even number of digits of either case; nil for anything else.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let digits = text.utf8.compactMap(ASCII.hexValue)
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        String(
            decoding: bytes.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
