/// Credentials that were found right a short while ago, so that a page of a hundred requests costs one slow hash.
///
/// Kept is their ``CredentialsHash``, never the password. Wrong ones are not kept: they cost the full price each time.
package struct VerifiedCredentials: Sendable {
    private struct Entry {
        let digest: [UInt8]
        let expiry: ContinuousClock.Instant
    }

    private let lifetime: Duration
    private let capacity: Int
    private var entries: [String: Entry] = [:]

    /// - Parameters:
    ///   - lifetime: how long credentials count unseen. 60 s: a password that was changed works on for a minute.
    ///   - capacity: how many users are kept.
    package init(lifetime: Duration = .seconds(60), capacity: Int = 10_000) {
        self.lifetime = lifetime
        self.capacity = capacity
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
