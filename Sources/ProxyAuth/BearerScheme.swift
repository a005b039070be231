/// The Bearer scheme (RFC 6750 §2.1), for both sides.
package enum BearerScheme {
    /// The field value, or nil when the token holds a character that no token has.
    package static func authorization(for token: Secret) -> String? {
        let text = token.reveal()
        let body = text.utf8.reversed().drop { $0 == UInt8(ascii: "=") }
        guard !body.isEmpty, body.allSatisfy(Self.isTokenCharacter) else { return nil }
        return "Bearer \(text)"
    }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~+/".utf8.contains(byte)
        }
    }
}
