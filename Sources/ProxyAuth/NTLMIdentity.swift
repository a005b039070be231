/// Who logs in by NTLM: the user's name, and his domain apart from it.
struct NTLMIdentity: Sendable, Hashable {
    let user: String
    /// The user's own domain, empty where none was given: never what a server calls itself.
    let domain: String

    init(user: String, domain: String) {
        self.user = user
        self.domain = domain
    }

    /// Reads `DOMAIN\user`, `DOMAIN/user`, `user@realm` (kept whole, as Windows does) or a name alone.
    init(_ text: String) {
        guard let separator = text.firstIndex(where: { $0 == "\\" || $0 == "/" }) else {
            self.user = text
            self.domain = ""
            return
        }
        self.user = String(text[text.index(after: separator)...])
        self.domain = String(text[..<separator])
    }

    /// The key of all answers (MS-NLMP §3.3.2, NTOWFv2).
    func responseKey(_ hash: NTHash) -> [UInt8] {
        HMACMD5.code(over: UTF16LittleEndian.bytes(Self.upperCased(self.user) + self.domain), key: hash.bytes)
    }

    /// Upper case as Windows has it: letter by letter, none becoming two.
    private static func upperCased(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let upper = scalar.properties.uppercaseMapping.unicodeScalars
            scalars.append(upper.count == 1 ? upper.first ?? scalar : scalar)
        }
        return String(scalars)
    }
}
