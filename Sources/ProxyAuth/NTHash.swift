/// The NT hash of a password: MD4 over its UTF-16 (MS-NLMP §3.3.1). As good as the password for NTLM, so it is kept
/// as secretly.
package struct NTHash: Sendable, Hashable {
    let bytes: [UInt8]

    init(password: Secret) {
        self.bytes = MD4.hash(UTF16LittleEndian.bytes(password.reveal()))
    }

    /// From 32 hexadecimal digits.
    package init?(hex: Secret) {
        guard let bytes = Hexadecimal.decode(hex.reveal()), bytes.count == 16 else { return nil }
        self.bytes = bytes
    }
}

extension NTHash: CustomStringConvertible, CustomReflectable {
    package var description: String { "<redacted>" }

    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// UTF-16 as Windows writes it.
enum UTF16LittleEndian {
    static func bytes(_ text: String) -> [UInt8] {
        text.utf16.flatMap { LittleEndian.bytes($0) }
    }

    /// What is no UTF-16 becomes U+FFFD; an odd last octet is left out.
    static func text(_ bytes: [UInt8]) -> String {
        let units = stride(from: 0, to: bytes.count, by: 2).compactMap {
            LittleEndian.read(UInt16.self, from: bytes, at: $0)
        }
        return String(decoding: units, as: UTF16.self)
    }
}
