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

    private static func targetInfo(_ bytes: [UInt8]) -> NTLMTargetInfo? {
        guard let length = LittleEndian.read(UInt16.self, from: bytes, at: 40),
            let offset = LittleEndian.read(UInt32.self, from: bytes, at: 44), length > 0
        else { return NTLMTargetInfo() }
        let end = Int(offset) + Int(length)
        guard end <= bytes.count else { return nil }
        return NTLMTargetInfo(Array(bytes[Int(offset)..<end]))
    }
}
