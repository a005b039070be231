/// A password as a users file holds it.
enum PasswordHash: Sendable {
    /// As it is; compared in constant time.
    case plain(Secret)
    /// By the system's `crypt`: bcrypt or sha-crypt, with its cost and salt in front.
    case crypt(CryptHash)

    /// Why a text is no password that is taken.
    struct Problem: Error {
        let text: String
    }

    /// - Parameter allowsPlainText: takes a text without a known mark for the password itself.
    init(parsing text: String, allowsPlainText: Bool) throws(Problem) {
        if let hash = try CryptHash(parsing: text) {
            self = .crypt(hash)
        } else if allowsPlainText {
            self = .plain(Secret(text))
        } else {
            throw Problem(
                text: text.hasPrefix("$apr1$") || text.hasPrefix("{SHA}")
                    ? "MD5 and SHA-1 protect no password; hash it with bcrypt (htpasswd -B) or SHA-512 (openssl passwd -6)"
                    : "the password is not hashed with bcrypt (htpasswd -B) or SHA-512 (openssl passwd -6); "
                        + "users-plain-text takes plain ones")
        }
    }
}

/// A hash in the form that `crypt` takes as its setting and gives as its result.
struct CryptHash: Sendable, Hashable {
    /// The whole text, `$6$salt$…`.
    let text: String
    /// Scheme and cost without the salt: what decides how long a check takes.
    let effort: String

    /// bcrypt's cost is a power of two: 16 already takes seconds. SHA-512's rounds grow linearly, 5000 by default.
    private static let bcryptCosts = 4...16
    private static let shaRounds = 1000...5_000_000

    /// Nil for a text without the mark of bcrypt or sha-crypt.
    init?(parsing text: String) throws(PasswordHash.Problem) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count > 2, parts[0].isEmpty else { return nil }
        switch parts[1] {
        case "2a", "2b", "2y":
            guard parts.count == 4, parts[3].utf8.count == 53, let cost = Int(parts[2]),
                Self.bcryptCosts.contains(cost)
            else { throw .init(text: "a bcrypt hash has a cost of 4 to 16 and 53 characters behind it") }
            self.effort = "$2b$\(cost)"
        case "5", "6":
            let hasRounds = parts[2].hasPrefix("rounds=")
            let rounds = hasRounds ? Int(parts[2].dropFirst(7)) : 5000
            guard parts.count == (hasRounds ? 5 : 4), let rounds, Self.shaRounds.contains(rounds),
                parts[parts.count - 1].utf8.count == (parts[1] == "5" ? 43 : 86)
            else {
                throw .init(text: "a sha-crypt hash has 1000 to 5000000 rounds, a salt and its whole hash")
            }
            self.effort = "$\(parts[1])$\(rounds)"
        default: return nil
        }
        self.text = text
    }

    /// The cheapest setting of the same scheme, to ask whether the system has it.
    var probe: String {
        switch self.effort.prefix(3) {
        case "$5$": "$5$rounds=1000$culvertprobe$"
        case "$6$": "$6$rounds=1000$culvertprobe$"
        default: "$2b$04$culvertprobeculvertpro."
        }
    }
}
