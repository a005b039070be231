import Crypto
import HTTPWire

/// Challenges clients by Digest and verifies their answers (RFC 7616).
///
/// A nonce is a time, eight random octets and a code over both, so that none is kept before a right answer to it has
/// come; from then on its counts are, so that no answer serves twice.
package struct DigestVerifier: Sendable {
    package enum Outcome: Sendable, Hashable {
        case user(String)
        /// Nobody, the wrong password, or an answer to something else.
        case unknown
        /// Right, but to a nonce that is too old, not ours, or used before: another challenge, with `stale`.
        case stale
    }

    /// The counts of one nonce that have come: the highest, and which of the 64 below it. Answers on several connections
    /// overtake one another.
    private struct Uses {
        let issued: UInt64
        var highest: UInt32
        var below: UInt64 = 0

        mutating func take(_ count: UInt32) -> Bool {
            if count > self.highest {
                let step = count - self.highest
                // The shifts of Swift take any number of places.
                self.below = self.below << UInt64(step) | 1 << UInt64(step - 1)
                self.highest = count
                return true
            }
            let distance = self.highest - count
            guard distance > 0, distance <= 64 else { return false }
            let bit: UInt64 = 1 << UInt64(distance - 1)
            guard self.below & bit == 0 else { return false }
            self.below |= bit
            return true
        }
    }

    private let users: DigestUserTable
    private let realm: String
    private let key: SymmetricKey
    private let start: ContinuousClock.Instant
    private let lifetime: Duration
    private let capacity: Int
    private var uses: [String: Uses] = [:]
    /// Nonces from then or before count only if they are in `uses`: others may have been used and forgotten.
    private var forgotten: UInt64?

    /// - Parameters:
    ///   - key: random bytes, for this verifier alone; 32 are SHA-256's own size.
    ///   - lifetime: how long a nonce is good. 5 minutes: a client then computes one answer more, nobody is asked.
    ///   - capacity: how many nonces are kept.
    package init(
        users: DigestUserTable, realm: String, key: [UInt8], at now: ContinuousClock.Instant,
        lifetime: Duration = .seconds(300), capacity: Int = 10_000
    ) {
        self.users = users
        self.realm = realm
        self.key = SymmetricKey(data: key)
        self.start = now
        self.lifetime = lifetime
        self.capacity = capacity
    }

    /// The challenges of a 407, one for each function that a user has a hash of.
    ///
    /// - Parameter random: eight octets that nobody can foresee.
    package func challenges(random: UInt64, isStale: Bool, at now: ContinuousClock.Instant) -> [String] {
        let nonce = self.nonce(issued: self.milliseconds(now), random: random)
        let stale = isStale ? ", stale=true" : ""
        return self.users.functions.map { function in
            "Digest realm=\"\(self.realm)\", nonce=\"\(nonce)\", algorithm=\(function.rawValue), qop=\"auth\""
                + "\(stale), charset=UTF-8"
        }
    }

    /// Who made this answer for this request.
    package mutating func verify(
        _ fieldValue: String, method: String, target: String, at now: ContinuousClock.Instant
    ) -> Outcome {
        guard let answer = DigestAnswer(fieldValue), answer.realm == self.realm, answer.covers(target: target)
        else { return .unknown }
        let key = self.users.key(of: answer.user, answer.function)
        // An unknown user costs what a known one costs.
        guard answer.matches(key: key ?? "", method: method), key != nil else { return .unknown }
        return self.take(answer, at: now) ? .user(answer.user) : .stale
    }

    // MARK: Nonces

    private mutating func take(_ answer: DigestAnswer, at now: ContinuousClock.Instant) -> Bool {
        guard let issued = self.issued(answer.nonce) else { return false }
        let time = self.milliseconds(now)
        guard issued <= time, Duration.milliseconds(Int64(time - issued)) < self.lifetime else {
            return false
        }
        if self.uses[answer.nonce] != nil { return self.uses[answer.nonce]?.take(answer.count) ?? false }
        if let forgotten, issued <= forgotten { return false }
        if self.uses.count >= self.capacity { self.forget(at: time) }
        self.uses[answer.nonce] = Uses(issued: issued, highest: answer.count)
        return true
    }

    /// Makes room: first of what is too old anyway, then of the older half.
    private mutating func forget(at time: UInt64) {
        let lifetime = UInt64(clamping: Int64(self.lifetime / .milliseconds(1)))
        self.uses = self.uses.filter { time - min($0.value.issued, time) < lifetime }
        guard self.uses.count >= self.capacity else { return }
        let times = self.uses.values.map(\.issued).sorted()
        let middle = times[times.count / 2]
        self.uses = self.uses.filter { $0.value.issued > middle }
        self.forgotten = max(middle, self.forgotten ?? 0)
    }

    private func nonce(issued: UInt64, random: UInt64) -> String {
        let head = LittleEndian.bytes(issued) + LittleEndian.bytes(random)
        return Hexadecimal.encode(head + self.code(head))
    }

    /// When we made it, or nil for one that we did not.
    private func issued(_ nonce: String) -> UInt64? {
        guard let bytes = Hexadecimal.decode(nonce), bytes.count == 32 else { return nil }
        let head = Array(bytes[..<16])
        guard ConstantTime.equal(self.code(head), bytes[16...]) else { return nil }
        return LittleEndian.read(UInt64.self, from: head, at: 0)
    }

    private func code(_ head: [UInt8]) -> [UInt8] {
        Array(Array(HMAC<SHA256>.authenticationCode(for: head, using: self.key)).prefix(16))
    }

    private func milliseconds(_ now: ContinuousClock.Instant) -> UInt64 {
        UInt64(clamping: Int64(self.start.duration(to: now) / .milliseconds(1)))
    }
}
