import HTTPWire

/// A client's answer to a Digest challenge (RFC 7616 §3.4), as it stands in its `Proxy-Authorization`.
struct DigestAnswer: Sendable {
    let user: String
    let realm: String
    let nonce: String
    let uri: String
    let response: String
    let function: DigestAlgorithm.Function
    /// How often the client has used the nonce, this time included; from 1.
    let count: UInt32
    /// As it was written: it goes into the hash.
    let countText: String
    let clientNonce: String

    /// nil for one that is broken, says something twice, or is not of the form that is asked for here: `qop=auth`, no
    /// session variant, no hashed name.
    init?(_ fieldValue: String) {
        let found = Challenge.parse([fieldValue])
        guard found.count == 1, let fields = found.first, fields.scheme == "digest",
            Set(fields.parameters.map(\.name)).count == fields.parameters.count,
            fields.parameter("qop")?.lowercased() == "auth",
            fields.parameter("userhash")?.lowercased() != "true",
            let user = Self.user(fields), let realm = fields.parameter("realm"),
            let nonce = fields.parameter("nonce"), let uri = fields.parameter("uri"),
            let response = fields.parameter("response")?.lowercased(),
            let algorithm = DigestAlgorithm(fields.parameter("algorithm") ?? "MD5"), !algorithm.isSession,
            let countText = fields.parameter("nc"), Hexadecimal.decode(countText)?.count == 4,
            let count = UInt32(countText, radix: 16), count > 0,
            let clientNonce = fields.parameter("cnonce"), !clientNonce.isEmpty
        else { return nil }
        self.user = user
        self.realm = realm
        self.nonce = nonce
        self.uri = uri
        self.response = response
        self.function = algorithm.function
        self.count = count
        self.countText = countText
        self.clientNonce = clientNonce
    }

    /// Whether it was made for this request. Clients that ask for `http://host/path` hash that or, as curl does, `/path`.
    func covers(target: String) -> Bool {
        if self.uri == target { return true }
        let prefix = "http://"
        guard self.uri.hasPrefix("/"), target.lowercased().hasPrefix(prefix) else { return false }
        let path = target.dropFirst(prefix.count).drop { $0 != "/" && $0 != "?" }
        return self.uri == (path.hasPrefix("/") ? "" : "/") + path
    }

    /// Whether who made it knows the key.
    func matches(key: String, method: String) -> Bool {
        let algorithm = DigestAlgorithm(function: self.function, isSession: false)
        let subject = algorithm.hash("\(method):\(self.uri)")
        let expected = algorithm.hash(
            "\(key):\(self.nonce):\(self.countText):\(self.clientNonce):auth:\(subject)")
        return ConstantTime.equal(expected.utf8, self.response.utf8)
    }

    /// The name, also in the form for names beyond ASCII (RFC 7616 §3.4, RFC 8187).
    private static func user(_ fields: Challenge) -> String? {
        guard let extended = fields.parameter("username*") else { return fields.parameter("username") }
        let parts = extended.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.parameter("username") == nil, parts.count == 3, parts[0].lowercased() == "utf-8" else {
            return nil
        }
        return PercentEncoding.decoded(ArraySlice(parts[2].utf8))
    }
}
