/// The first message: what the client can (MS-NLMP §2.2.1.1).
struct NTLMNegotiateMessage: Sendable, Hashable {
    static let signature = Array("NTLMSSP\u{0}".utf8)

    /// Always the same: no domain, no workstation, no version.
    static let bytes: [UInt8] =
        signature + LittleEndian.bytes(UInt32(1)) + LittleEndian.bytes(NTLMFlags.offered.rawValue)
        + [UInt8](repeating: 0, count: 16)
}

/// The second message: the server's challenge (MS-NLMP §2.2.1.2).
struct NTLMChallengeMessage: Sendable, Hashable {
    let flags: NTLMFlags
    let serverChallenge: [UInt8]
    /// Empty where the server sent none, as old ones do.
    let targetInfo: NTLMTargetInfo
    let bytes: [UInt8]

    /// nil for anything malformed.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: NTLMNegotiateMessage.signature), bytes.count >= 32,
            LittleEndian.read(UInt32.self, from: bytes, at: 8) == 2,
            let flags = LittleEndian.read(UInt32.self, from: bytes, at: 20),
            let info = Self.targetInfo(bytes)
        else { return nil }
        self.flags = NTLMFlags(rawValue: flags)
        self.serverChallenge = Array(bytes[24..<32])
        self.targetInfo = info
        self.bytes = bytes
    }

    /// A server's answer to what a client can. The time in it makes clients that know of it add their integrity code.
    ///
    /// - Parameters:
    ///   - name: what the server calls itself and its domain: a label, in capitals as NetBIOS has it.
    ///   - time: in 100 ns since 1601.
    static func bytes(to offer: NTLMFlags, serverChallenge: [UInt8], name: String, time: UInt64) -> [UInt8] {
        var flags = offer.intersection(.offered).union([.ntlm, .targetInfo, .targetIsServer])
        if flags.contains(.unicode) { flags.remove(.oem) }
        let target = flags.contains(.unicode) ? UTF16LittleEndian.bytes(name) : Array(name.utf8)
        var info = NTLMTargetInfo()
        info[.domainName] = UTF16LittleEndian.bytes(name)
        info[.computerName] = UTF16LittleEndian.bytes(name)
        info[.timestamp] = LittleEndian.bytes(time)
        let start = 48
        let field = { (bytes: [UInt8], offset: Int) -> [UInt8] in
            let length = LittleEndian.bytes(UInt16(truncatingIfNeeded: bytes.count))
            return length + length + LittleEndian.bytes(UInt32(truncatingIfNeeded: offset))
        }
        return NTLMNegotiateMessage.signature + LittleEndian.bytes(UInt32(2)) + field(target, start)
            + LittleEndian.bytes(flags.rawValue) + serverChallenge + [UInt8](repeating: 0, count: 8)
            + field(info.bytes, start + target.count) + target + info.bytes
    }

    private static func targetInfo(_ bytes: [UInt8]) -> NTLMTargetInfo? {
        guard let length = LittleEndian.read(UInt16.self, from: bytes, at: 40),
            let offset = LittleEndian.read(UInt32.self, from: bytes, at: 44), length > 0
        else { return NTLMTargetInfo() }
        let end = Int(offset) + Int(length)
        guard end <= bytes.count else { return nil }
        return NTLMTargetInfo(Array(bytes[Int(offset)..<end]))
    }
}
