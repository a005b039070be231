import HTTPWire

/// The server's side of NTLM on one connection: three messages, of which the second is ours (MS-NLMP §3.2.5). Only
/// NTLMv2 answers count; what is older can be computed back to the password.
package struct NTLMVerifier: Sendable {
    package enum Outcome: Sendable, Hashable {
        /// The client's first message: this goes into the 407, and the connection stays.
        case challenge(String)
        case user(String)
        /// Nobody, the wrong password, or no message of NTLM that is due.
        case unknown
    }

    private struct Exchange {
        let negotiate: [UInt8]
        let challenge: [UInt8]
        let serverChallenge: [UInt8]
    }

    private var exchange: Exchange?

    package init() {}

    /// Takes the token of one `Proxy-Authorization: NTLM`.
    ///
    /// - Parameters:
    ///   - serverChallenge: eight octets that nobody can foresee.
    ///   - time: in 100 ns since 1601.
    package mutating func receive(
        _ token: String, users: NTLMUserTable, name: String, serverChallenge: [UInt8], time: UInt64
    ) -> Outcome {
        guard let bytes = Base64.decode(token), bytes.starts(with: NTLMNegotiateMessage.signature),
            let kind = LittleEndian.read(UInt32.self, from: bytes, at: 8)
        else { return .unknown }
        let exchange = self.exchange
        self.exchange = nil
        switch kind {
        case 1:
            guard let flags = LittleEndian.read(UInt32.self, from: bytes, at: 12) else { return .unknown }
            let challenge = NTLMChallengeMessage.bytes(
                to: NTLMFlags(rawValue: flags), serverChallenge: serverChallenge, name: name, time: time)
            self.exchange = Exchange(
                negotiate: bytes, challenge: challenge, serverChallenge: serverChallenge)
            return .challenge(Base64.encode(challenge))
        case 3:
            guard let exchange, let message = NTLMAuthenticateMessage(bytes) else { return .unknown }
            return Self.verify(message, exchange, users).map(Outcome.user) ?? .unknown
        default:
            return .unknown
        }
    }

    private static func verify(
        _ message: NTLMAuthenticateMessage, _ exchange: Exchange, _ users: NTLMUserTable
    ) -> String? {
        let known = users[message.identity.user]
        // An unknown user costs what a known one costs.
        let hash = known?.hash ?? NTHash(password: "")
        let key = message.identity.responseKey(hash)
        let proof = HMACMD5.code(over: exchange.serverChallenge + message.blob, key: key)
        guard ConstantTime.equal(proof, message.proof), let known else { return nil }
        guard message.promisesMIC else { return known.name }
        let sessionKey = HMACMD5.code(over: proof, key: key)
        let code = HMACMD5.code(
            over: exchange.negotiate + exchange.challenge + message.bytesWithoutMIC, key: sessionKey)
        return ConstantTime.equal(code, message.mic) ? known.name : nil
    }
}
