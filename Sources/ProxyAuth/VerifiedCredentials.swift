import Crypto

/// Credentials that were found right a short while ago, so that a page of a hundred requests costs one slow hash.
///
/// Kept is a keyed hash of them, never the password. Wrong ones are not kept: they cost the full price each time.
package struct VerifiedCredentials: Sendable {
    private struct Entry {
        let digest: [UInt8]
        let expiry: ContinuousClock.Instant
    }

    /// With the key, and nothing else yet: each hash begins with a copy.
    private let keyed: HMAC<SHA256>
    private let lifetime: Duration
    private let capacity: Int
    private var entries: [String: Entry] = [:]

    /// - Parameters:
    ///   - key: random bytes, for this table alone; 32 are SHA-256's own size.
    ///   - lifetime: how long credentials count unseen. 60 s: a password that was changed works on for a minute.
    ///   - capacity: how many users are kept.
    package init(key: [UInt8], lifetime: Duration = .seconds(60), capacity: Int = 10_000) {
        self.keyed = HMAC(key: SymmetricKey(data: key))
        self.lifetime = lifetime
        self.capacity = capacity
    }

    /// The keyed hash of a user name and password, by which equal credentials are told.
    package func digest(of credentials: ProxyCredentials) -> [UInt8] {
        var code = self.keyed
        // A user name holds no colon (RFC 7617 §2), so this joins the two in one way only.
        code.update(data: Array("\(credentials.user):\(credentials.password.reveal())".utf8))
        return Array(code.finalize())
    }

    package func contains(_ user: String, digest: [UInt8], at now: ContinuousClock.Instant) -> Bool {
        guard let entry = self.entries[user] else { return false }
        return ConstantTime.equal(entry.digest, digest) && now < entry.expiry
    }

    package mutating func insert(_ user: String, digest: [UInt8], at now: ContinuousClock.Instant) {
        if self.entries.count >= self.capacity {
            self.entries = self.entries.filter { now < $0.value.expiry }
        }
        if self.entries.count >= self.capacity { self.entries.removeAll() }
        self.entries[user] = Entry(digest: digest, expiry: now + self.lifetime)
    }
}
