/// The users a proxy lets in by NTLM, with the NT hashes of their passwords. A hash serves as well as the password: the
/// file is as secret.
public struct NTLMUserTable: Sendable {
    private var hashes: [String: (name: String, hash: NTHash)] = [:]

    /// Reads one `name:hash` per line, the hash 32 hexadecimal digits: the MD4 of the password in UTF-16.
    /// Names are compared without regard to case, and without their domain, as Windows does for local accounts.
    ///
    /// - Throws: ``UserTableError`` that names the line, never its content.
    public init(parsing text: String) throws(UserTableError) {
        for line in UsersFile.lines(of: text) {
            let (name, rest) = try line.nameAndRest(expecting: "name:NT hash")
            guard let hash = NTHash(hex: Secret(rest)) else {
                throw line.error("expected 32 hexadecimal digits behind the name: the NT hash")
            }
            guard self.hashes.updateValue((name, hash), forKey: name.lowercased()) == nil else {
                throw line.error("this name stands in an earlier line too")
            }
        }
    }

    /// The number of users.
    public var count: Int { self.hashes.count }

    /// The name as the file has it, and the hash.
    subscript(_ user: String) -> (name: String, hash: NTHash)? { self.hashes[user.lowercased()] }
}
