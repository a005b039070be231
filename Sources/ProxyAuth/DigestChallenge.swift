import HTTPWire

/// A Digest challenge that can be answered (RFC 7616 §3.3).
struct DigestChallenge: Sendable, Hashable {
    let realm: String
    let nonce: String
    let opaque: String?
    let algorithm: DigestAlgorithm
    /// As the proxy wrote it, to be repeated; nil where it named none, which means MD5.
    let algorithmName: String?
    /// Whether the answer protects against replay by counting (`qop=auth`); without, it is RFC 2069's.
    let hasQualityOfProtection: Bool
    /// The nonce is merely too old; user and password were right.
    let isStale: Bool
    /// The proxy wants the user's name hashed.
    let hashesUser: Bool

    /// nil for one that lacks what it needs, or asks for an algorithm or protection that is not spoken here.
    init?(_ challenge: Challenge) {
        guard challenge.scheme == "digest", let realm = challenge.parameter("realm"),
            let nonce = challenge.parameter("nonce")
        else { return nil }
        let name = challenge.parameter("algorithm")
        guard let algorithm = name.map({ DigestAlgorithm($0) }) ?? .md5 else { return nil }
        let protections = challenge.parameter("qop").map {
            $0.split(whereSeparator: { ", ".contains($0) }).map { $0.lowercased() }
        }
        if let protections, !protections.contains("auth") { return nil }
        self.realm = realm
        self.nonce = nonce
        self.opaque = challenge.parameter("opaque")
        self.algorithm = algorithm
        self.algorithmName = name
        self.hasQualityOfProtection = protections != nil
        self.isStale = challenge.parameter("stale")?.lowercased() == "true"
        self.hashesUser = challenge.parameter("userhash")?.lowercased() == "true"
    }
}
