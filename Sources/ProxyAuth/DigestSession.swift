import HTTPWire

/// The answers to one Digest challenge (RFC 7616 §3.4): each counts the nonce up, so that none is a replay.
package struct DigestSession: Sendable, Hashable {
    private let challenge: DigestChallenge
    private let clientNonce: String
    private var count: UInt32 = 0

    /// - Parameter clientNonce: what nobody can foresee, of characters that need no escape.
    init(_ challenge: DigestChallenge, clientNonce: String) {
        self.challenge = challenge
        self.clientNonce = clientNonce
    }

    /// The field value for one more request, or nil when the credentials hold what no field can carry, or the nonce
    /// has been used as often as it can be.
    mutating func authorization(
        for request: ProxyAuthenticator.Request, credentials: ProxyCredentials
    ) -> String? {
        let text = credentials.user + credentials.password.reveal()
        guard self.count < .max, !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else { return nil }
        self.count += 1
        let parameters = self.parameters(request, credentials)
        return "Digest " + parameters.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
    }

    private func parameters(
        _ request: ProxyAuthenticator.Request, _ credentials: ProxyCredentials
    ) -> [(name: String, value: String)] {
        let challenge = self.challenge
        var list = [
            self.user(credentials), ("realm", Self.quoted(challenge.realm)),
            ("nonce", Self.quoted(challenge.nonce)), ("uri", Self.quoted(request.target)),
            ("response", Self.quoted(self.response(request, credentials))),
        ]
        if let name = challenge.algorithmName { list.append(("algorithm", name)) }
        if let opaque = challenge.opaque { list.append(("opaque", Self.quoted(opaque))) }
        if challenge.hasQualityOfProtection {
            list += [("qop", "auth"), ("nc", self.nonceCount), ("cnonce", Self.quoted(self.clientNonce))]
        }
        if challenge.hashesUser { list.append(("userhash", "true")) }
        return list
    }

    private func user(_ credentials: ProxyCredentials) -> (name: String, value: String) {
        if self.challenge.hashesUser {
            return ("username", Self.quoted(self.hash("\(credentials.user):\(self.challenge.realm)")))
        }
        return ("username", Self.quoted(credentials.user))
    }

    private func response(_ request: ProxyAuthenticator.Request, _ credentials: ProxyCredentials) -> String {
        let challenge = self.challenge
        var key = self.hash("\(credentials.user):\(challenge.realm):\(credentials.password.reveal())")
        if challenge.algorithm.isSession { key = self.hash("\(key):\(challenge.nonce):\(self.clientNonce)") }
        let subject = self.hash("\(request.method):\(request.target)")
        guard challenge.hasQualityOfProtection else {
            return self.hash("\(key):\(challenge.nonce):\(subject)")
        }
        return self.hash("\(key):\(challenge.nonce):\(self.nonceCount):\(self.clientNonce):auth:\(subject)")
    }

    /// Eight hexadecimal digits.
    private var nonceCount: String {
        Hexadecimal.encode(LittleEndian.bytes(self.count).reversed())
    }

    private func hash(_ text: String) -> String { self.challenge.algorithm.hash(text) }

    /// What a proxy said comes back without control characters: a line break would be a field of its own.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars where scalar.value >= 0x20 && scalar.value != 0x7F {
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
