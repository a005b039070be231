import HTTPWire
import Testing

@testable import ProxyAuth

@Suite("NTLMv2 (MS-NLMP)")
struct NTLMTests {
    @Test(
        "MD4 as RFC 1320 §A.5 prints it",
        arguments: [
            ("", "31d6cfe0d16ae931b73c59d7e0c089c0"), ("a", "bde52cb31de33e46245e05fbdbd6fb24"),
            ("abc", "a448017aaf21d8525fc10ae87aa6729d"),
            ("message digest", "d9130a8164549fe818874806e1c7014b"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "e33b4ddc9c38f2199c3e7b164fcc0536"
            ),
            (
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                "043f8582f241db351ce627e153e7f0e4"
            ),
        ])
    func md4(text: String, digest: String) {
        #expect(Hexadecimal.encode(MD4.hash(Array(text.utf8))) == digest)
    }

    // The figures of MS-NLMP §4.2: user "User", domain "Domain", password "Password".
    private static let hash = NTHash(password: "Password")
    private static let identity = NTLMIdentity("Domain\\User")
    private static let serverChallenge: [UInt8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]
    /// NetBIOS names "Domain" and "Server" (MS-NLMP §4.2.4).
    private static let info: [UInt8] =
        [0x02, 0x00, 0x0C, 0x00] + UTF16LittleEndian.bytes("Domain") + [0x01, 0x00, 0x0C, 0x00]
        + UTF16LittleEndian.bytes("Server") + [0, 0, 0, 0]

    private static func challenge(info: [UInt8], flags: UInt32 = 0xE28A_8233) -> [UInt8] {
        let head =
            Array("NTLMSSP\0".utf8) + LittleEndian.bytes(UInt32(2)) + [0, 0, 0, 0]
            + LittleEndian.bytes(UInt32(56))
            + LittleEndian.bytes(flags) + Self.serverChallenge + [UInt8](repeating: 0, count: 8)
        let length = LittleEndian.bytes(UInt16(info.count))
        return head + length + length + LittleEndian.bytes(UInt32(56)) + [UInt8](repeating: 0, count: 8)
            + info
    }

    private static func answer(
        _ challenge: NTLMChallengeMessage, identity: NTLMIdentity = identity, binding: [UInt8]? = nil
    ) -> [UInt8] {
        NTLMAnswer(
            identity: identity, hash: Self.hash, clientChallenge: [UInt8](repeating: 0xAA, count: 8), time: 0,
            host: "proxy", channelBinding: binding
        ).message(to: challenge)
    }

    private static func field(_ index: Int, of message: [UInt8]) throws -> [UInt8] {
        let at = 12 + index * 8
        let length = Int(try #require(LittleEndian.read(UInt16.self, from: message, at: at)))
        let offset = Int(try #require(LittleEndian.read(UInt32.self, from: message, at: at + 4)))
        return Array(message[offset..<offset + length])
    }

    @Test("the hash and the key of §4.2")
    func keys() {
        #expect(Hexadecimal.encode(Self.hash.bytes) == "a4f49c406510bdcab6824ee7c30fd852")
        #expect(
            Hexadecimal.encode(Self.identity.responseKey(Self.hash)) == "0c868a403bfd7a93a3001ef22ef02e3f")
        let hex = NTHash(hex: "A4F49C406510BDCAB6824EE7C30FD852")
        #expect(hex == Self.hash)
        #expect(NTHash(hex: "A4F4") == nil && NTHash(hex: "zz") == nil)
        #expect("\(Self.hash)" == "<redacted>")
    }

    @Test("the proof over the server's and our challenge (§4.2.4.2.2), recomputed from the message itself")
    func proof() throws {
        let challenge = try #require(NTLMChallengeMessage(Self.challenge(info: Self.info)))
        let message = Self.answer(challenge)
        let nt = try Self.field(1, of: message)
        let key = Self.identity.responseKey(Self.hash)
        #expect(Array(nt[..<16]) == HMACMD5.code(over: Self.serverChallenge + nt[16...], key: key))
        // LMv2: over both challenges, then ours (§4.2.4.2.1).
        #expect(
            Hexadecimal.encode(try Self.field(0, of: message))
                == "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa")
        #expect(try Self.field(2, of: message) == UTF16LittleEndian.bytes("Domain"))
        #expect(try Self.field(3, of: message) == UTF16LittleEndian.bytes("User"))
    }

    @Test("a server that tells its time gets an integrity code over all three messages, and no LM answer")
    func integrity() throws {
        let time: [UInt8] = [7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]
        let bytes = Self.challenge(info: Self.info.dropLast(4) + time + [0, 0, 0, 0])
        let message = Self.answer(
            try #require(NTLMChallengeMessage(bytes)), binding: [UInt8](repeating: 9, count: 16))
        let nt = try Self.field(1, of: message)
        let info = try #require(NTLMTargetInfo(Array(nt[44...])))
        #expect(info[.flags] == [2, 0, 0, 0])
        #expect(info[.channelBindings] == [UInt8](repeating: 9, count: 16))
        #expect(info[.targetName] == UTF16LittleEndian.bytes("HTTP/proxy"))
        #expect(Array(nt[24..<32]) == Array(time[4...]))
        #expect(try Self.field(0, of: message) == [UInt8](repeating: 0, count: 24))
        var blank = message
        blank.replaceSubrange(72..<88, with: [UInt8](repeating: 0, count: 16))
        let key = HMACMD5.code(over: Array(nt[..<16]), key: Self.identity.responseKey(Self.hash))
        let code = HMACMD5.code(over: NTLMNegotiateMessage.bytes + bytes + blank, key: key)
        #expect(Array(message[72..<88]) == code)
    }

    @Test("a challenge without target information is answered, as old servers send it")
    func bare() throws {
        let bytes = Array(Self.challenge(info: []).prefix(32))
        let message = Self.answer(try #require(NTLMChallengeMessage(bytes)))
        #expect(try Self.field(1, of: message).count > 44)
    }

    @Test(
        "names of a user",
        arguments: [
            ("CORP\\alice", "CORP", "alice"), ("CORP/alice", "CORP", "alice"),
            ("alice@corp.example", "", "alice@corp.example"), ("alice", "", "alice"),
        ])
    func identities(text: String, domain: String, user: String) {
        #expect(NTLMIdentity(text).domain == domain)
        #expect(NTLMIdentity(text).user == user)
    }

    @Test("malformed challenges are told apart, whatever is cut off or points outside")
    func malformed() {
        let good = Self.challenge(info: Self.info)
        #expect(NTLMChallengeMessage(good) != nil)
        for count in 0..<32 { #expect(NTLMChallengeMessage(Array(good.prefix(count))) == nil) }
        for count in 49..<good.count { #expect(NTLMChallengeMessage(Array(good.prefix(count))) == nil) }
        var far = good
        far.replaceSubrange(44..<48, with: [255, 255, 255, 255])
        #expect(NTLMChallengeMessage(far) == nil)
        var other = good
        other[8] = 3
        #expect(NTLMChallengeMessage(other) == nil)
        #expect(NTLMTargetInfo([1, 0, 2, 0, 9]) == nil)
        #expect(NTLMTargetInfo([]) == nil)
    }
}
