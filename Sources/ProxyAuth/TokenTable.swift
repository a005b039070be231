import Crypto

/// Bearer tokens (RFC 6750) and whose they are; of each only its SHA-256 is kept. A token is random and long: unlike a
/// password it needs no slow hash.
public struct TokenTable: Sendable {
    private var users: [SHA256.Digest: String] = [:]

    /// Reads one `name:hash` per line, the hash 64 hexadecimal digits: `printf %s TOKEN | sha256sum`. A name may stand
    /// in several lines.
    ///
    /// - Throws: ``UserTableError`` that names the line, never its content.
    public init(parsing text: String) throws(UserTableError) {
        for line in UsersFile.lines(of: text) {
            let (name, hash) = try line.nameAndRest(expecting: "name:SHA-256 of the token")
            guard let digest = Self.digest(hexadecimal: hash) else {
                throw line.error("expected 64 hexadecimal digits behind the name: the token's SHA-256")
            }
            guard self.users[digest] == nil else {
                throw line.error("this token stands in an earlier line too")
            }
            self.users[digest] = name
        }
    }

    /// The number of tokens.
    public var count: Int { self.users.count }

    /// Whose token it is. What is looked up is the hash, so timing tells nothing of a token.
    package func user(forToken token: String) -> String? {
        self.users[SHA256.hash(data: Array(token.utf8))]
    }

    /// The token in a field of the Bearer scheme.
    package static func token(in field: AuthorizationField) -> String? {
        field.scheme == "bearer" ? String(field.credentials) : nil
    }

    private static func digest(hexadecimal text: String) -> SHA256.Digest? {
        guard let bytes = Hexadecimal.decode(text), bytes.count == 32 else { return nil }
        return bytes.withUnsafeBytes { $0.load(as: SHA256.Digest.self) }
    }
}
