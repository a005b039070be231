/// The users a proxy lets in by Basic, with their passwords or the hashes of them.
public struct UserTable: Sendable {
    /// The system's `crypt`: the hash of a password under a setting, or nil where it cannot.
    package typealias Crypt = (_ password: String, _ setting: String) -> String?

    private var passwords: [String: PasswordHash] = [:]
    /// What an unknown user is compared with, so that timing does not list the users.
    private var decoy = PasswordHash.plain("")

    /// A table from names to passwords, for a program that has them.
    public init(_ passwords: [String: Secret]) {
        self.passwords = passwords.mapValues(PasswordHash.plain)
    }

    /// Reads a file of `htpasswd`: one `name:hash` per line, bcrypt or sha-crypt; empty lines and lines that start
    /// with `#` are skipped.
    ///
    /// - Parameter allowsPlainText: takes what is no hash for the password itself.
    /// - Throws: ``UserTableError`` that names the line, never its content.
    public init(parsing text: String, allowsPlainText: Bool = false) throws(UserTableError) {
        for line in UsersFile.lines(of: text) {
            let (name, rest) = try line.nameAndRest(expecting: "name:password hash")
            guard self.passwords[name] == nil else {
                throw line.error("this name stands in an earlier line too")
            }
            do {
                self.passwords[name] = try PasswordHash(parsing: rest, allowsPlainText: allowsPlainText)
            } catch {
                throw line.error(error.text)
            }
        }
        self.decoy = Self.decoy(among: self.passwords)
    }

    /// The number of users.
    public var count: Int { self.passwords.count }

    /// Whether there is a user of this name.
    package func contains(_ name: String) -> Bool { self.passwords[name] != nil }

    /// Whether a check takes so long that no event loop may make it.
    package var isSlow: Bool {
        if case .crypt = self.decoy { return true }
        return false
    }

    /// A setting per kind of hash in the table: each must be one that the system can compute.
    package var probes: Set<String> {
        Set(
            self.passwords.values.compactMap { password in
                guard case .crypt(let hash) = password else { return nil }
                return hash.probe
            })
    }

    /// The user's name when the password is right. An unknown user costs what a known one costs.
    package func verify(_ given: ProxyCredentials, crypt: Crypt) -> String? {
        let expected = self.passwords[given.user]
        let matches = Self.matches(expected ?? self.decoy, given.password.reveal(), crypt)
        return expected != nil && matches ? given.user : nil
    }

    private static func matches(_ expected: PasswordHash, _ given: String, _ crypt: Crypt) -> Bool {
        switch expected {
        case .plain(let secret): secret == Secret(given)
        case .crypt(let hash):
            crypt(given, hash.text).map { ConstantTime.equal(hash.text.utf8, $0.utf8) } ?? false
        }
    }

    /// One of the hashes with the effort that most have.
    private static func decoy(among passwords: [String: PasswordHash]) -> PasswordHash {
        var byEffort: [String: [CryptHash]] = [:]
        for case .crypt(let hash) in passwords.values { byEffort[hash.effort, default: []].append(hash) }
        let common = byEffort.max { ($0.value.count, $0.key) < ($1.value.count, $1.key) }
        return common?.value.first.map(PasswordHash.crypt) ?? .plain("")
    }
}
