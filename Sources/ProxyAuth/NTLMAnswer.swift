/// The third message: the proof that the client knows the password (MS-NLMP §2.2.1.3 and §3.1.5.1.2), by NTLMv2 alone.
struct NTLMAnswer: Sendable {
    let identity: NTLMIdentity
    let hash: NTHash
    /// 8 octets that nobody can foresee.
    let clientChallenge: [UInt8]
    /// In 100 ns since 1601, for servers that do not tell theirs.
    let time: UInt64
    /// The proxy's host, which its own list of service names may be checked against.
    let host: String
    /// MD5 of the channel's bindings where it is TLS (MS-NLMP §3.1.5.1.2).
    let channelBinding: [UInt8]?

    private static let headerLength = 88
    private static let micOffset = 72

    func message(to challenge: NTLMChallengeMessage) -> [UInt8] {
        let info = self.targetInfo(challenge)
        let hasTimestamp = challenge.targetInfo.timestamp != nil
        let key = self.identity.responseKey(self.hash)
        let blob = self.blob(info)
        let proof = HMACMD5.code(over: challenge.serverChallenge + blob, key: key)
        let message = self.assemble(
            challenge,
            lm: hasTimestamp ? [UInt8](repeating: 0, count: 24) : self.lmResponse(challenge, key: key),
            nt: proof + blob)
        guard hasTimestamp else { return message }
        let sessionKey = HMACMD5.code(over: proof, key: key)
        let mic = HMACMD5.code(over: NTLMNegotiateMessage.bytes + challenge.bytes + message, key: sessionKey)
        return Array(message[..<Self.micOffset]) + mic + message[Self.headerLength...]
    }

    /// The server's attributes and ours.
    private func targetInfo(_ challenge: NTLMChallengeMessage) -> NTLMTargetInfo {
        var info = challenge.targetInfo
        if info.timestamp != nil {
            let flags = info[.flags].flatMap { LittleEndian.read(UInt32.self, from: $0, at: 0) } ?? 0
            info[.flags] = LittleEndian.bytes(flags | NTLMTargetInfo.hasMIC)
        }
        info[.targetName] = UTF16LittleEndian.bytes("HTTP/\(self.host)")
        if let channelBinding { info[.channelBindings] = channelBinding }
        return info
    }

    /// NTLMv2_CLIENT_CHALLENGE (MS-NLMP §2.2.2.7).
    private func blob(_ info: NTLMTargetInfo) -> [UInt8] {
        [1, 1, 0, 0, 0, 0, 0, 0] + (info.timestamp ?? LittleEndian.bytes(self.time)) + self.clientChallenge
            + [0, 0, 0, 0] + info.bytes + [0, 0, 0, 0]
    }

    private func lmResponse(_ challenge: NTLMChallengeMessage, key: [UInt8]) -> [UInt8] {
        HMACMD5.code(over: challenge.serverChallenge + self.clientChallenge, key: key) + self.clientChallenge
    }

    private func assemble(_ challenge: NTLMChallengeMessage, lm: [UInt8], nt: [UInt8]) -> [UInt8] {
        let isUnicode = challenge.flags.contains(.unicode)
        let encode = { (text: String) in isUnicode ? UTF16LittleEndian.bytes(text) : Array(text.utf8) }
        var flags = challenge.flags.intersection(.offered)
        if isUnicode { flags.remove(.oem) }
        let fields = [lm, nt, encode(self.identity.domain), encode(self.identity.user), [], []]
        var header = NTLMNegotiateMessage.signature + LittleEndian.bytes(UInt32(3))
        var payload: [UInt8] = []
        for field in fields {
            let length = LittleEndian.bytes(UInt16(truncatingIfNeeded: field.count))
            header += length + length + LittleEndian.bytes(UInt32(Self.headerLength + payload.count))
            payload += field
        }
        header += LittleEndian.bytes(flags.rawValue)
        // Version and integrity code.
        header += [UInt8](repeating: 0, count: Self.headerLength - header.count)
        return header + payload
    }
}
