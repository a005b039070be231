/// The users a proxy lets in by Digest, with the hash of name, realm and password that RFC 7616 §3.4.2 calls A1.
public struct DigestUserTable: Sendable {
    /// By name, the A1 hash of each function that the file has, in lower-case hexadecimal digits.
    private var hashes: [String: [DigestAlgorithm.Function: String]] = [:]

    /// Reads a file of `htdigest`: one `name:realm:hash` per line, the hash of MD5 (32 digits) or SHA-256 (64); empty
    /// lines and lines that start with `#` are skipped. A name may stand once with each.
    ///
    /// - Parameter realm: the proxy's; the hash is of no use in another.
    /// - Throws: ``UserTableError`` that names the line, never its content.
    public init(parsing text: String, realm: String) throws(UserTableError) {
        for line in UsersFile.lines(of: text) {
            let (name, rest) = try line.nameAndRest(expecting: "name:realm:hash")
            guard let colon = rest.lastIndex(of: ":") else { throw line.error("expected name:realm:hash") }
            guard rest[..<colon] == realm else {
                throw line.error("the realm is not the proxy's, which is \"\(realm)\"")
            }
            let hash = rest[rest.index(after: colon)...].lowercased()
            guard let function = Self.function(of: hash) else {
                throw line.error("expected 32 (MD5) or 64 (SHA-256) hexadecimal digits behind the realm")
            }
            guard self.hashes[name, default: [:]].updateValue(hash, forKey: function) == nil else {
                throw line.error("this name stands in an earlier line too")
            }
        }
    }

    /// The number of users.
    public var count: Int { self.hashes.count }

    /// What can be asked for, the strongest first: each that some user has.
    var functions: [DigestAlgorithm.Function] {
        [.sha256, .md5].filter { function in self.hashes.values.contains { $0[function] != nil } }
    }

    /// A user's A1 hash.
    func key(of user: String, _ function: DigestAlgorithm.Function) -> String? {
        self.hashes[user]?[function]
    }

    private static func function(of hash: String) -> DigestAlgorithm.Function? {
        switch Hexadecimal.decode(hash)?.count {
        case 16: .md5
        case 32: .sha256
        default: nil
        }
    }
}
