/// The third message as a server reads it (MS-NLMP §2.2.1.3); NTLMv2 alone.
struct NTLMAuthenticateMessage: Sendable {
    let identity: NTLMIdentity
    /// What shows that the client knows the password, over `blob` and the server's challenge.
    let proof: [UInt8]
    /// NTLMv2_CLIENT_CHALLENGE (MS-NLMP §2.2.2.7).
    let blob: [UInt8]
    private let bytes: [UInt8]

    private static let mic = 72..<88
    /// The attributes of a blob come behind its times and challenge.
    private static let blobHeaderLength = 28

    /// nil for anything malformed, and for the answers of older versions.
    init?(_ bytes: [UInt8]) {
        guard let flags = LittleEndian.read(UInt32.self, from: bytes, at: 60),
            let response = Self.field(20, of: bytes), response.count >= 16 + Self.blobHeaderLength,
            response[16] == 1, response[17] == 1,
            let domain = Self.field(28, of: bytes), let user = Self.field(36, of: bytes)
        else { return nil }
        let isUnicode = NTLMFlags(rawValue: flags).contains(.unicode)
        self.identity = NTLMIdentity(
            user: Self.text(user, isUnicode: isUnicode), domain: Self.text(domain, isUnicode: isUnicode))
        self.proof = Array(response[..<16])
        self.blob = Array(response[16...])
        self.bytes = bytes
    }

    /// Whether the client says in its blob, which the proof covers, that it sends a code over all messages.
    var promisesMIC: Bool {
        guard let info = NTLMTargetInfo(Array(self.blob[Self.blobHeaderLength...])),
            let flags = info[.flags].flatMap({ LittleEndian.read(UInt32.self, from: $0, at: 0) })
        else { return false }
        return flags & NTLMTargetInfo.hasMIC != 0
    }

    /// Empty where the message is too short to have one.
    var mic: [UInt8] { self.bytes.count >= Self.mic.upperBound ? Array(self.bytes[Self.mic]) : [] }

    var bytesWithoutMIC: [UInt8] {
        guard self.bytes.count >= Self.mic.upperBound else { return self.bytes }
        var bytes = self.bytes
        for index in Self.mic { bytes[index] = 0 }
        return bytes
    }

    private static func field(_ offset: Int, of bytes: [UInt8]) -> [UInt8]? {
        guard let length = LittleEndian.read(UInt16.self, from: bytes, at: offset),
            let start = LittleEndian.read(UInt32.self, from: bytes, at: offset + 4)
        else { return nil }
        let end = Int(start) + Int(length)
        guard end <= bytes.count else { return nil }
        return Array(bytes[Int(start)..<end])
    }

    private static func text(_ bytes: [UInt8], isUnicode: Bool) -> String {
        isUnicode ? UTF16LittleEndian.text(bytes) : String(decoding: bytes, as: UTF8.self)
    }
}
