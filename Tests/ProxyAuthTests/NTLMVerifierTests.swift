import HTTPWire
import Testing

@testable import ProxyAuth

@Suite("NTLMv2, the proxy's side")
struct NTLMVerifierTests {
    private static let serverChallenge: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    private static let time: UInt64 = 133_000_000_000_000_000

    private static func users() throws -> NTLMUserTable {
        let hash = Hexadecimal.encode(NTHash(password: "Pässword").bytes)
        return try NTLMUserTable(parsing: "# users\nAlice:\(hash)\n")
    }

    private static func receive(
        _ verifier: inout NTLMVerifier, _ message: [UInt8]
    ) throws -> NTLMVerifier.Outcome {
        verifier.receive(
            Base64.encode(message), users: try Self.users(), name: "CULVERT",
            serverChallenge: Self.serverChallenge, time: Self.time)
    }

    /// The server's message to ours, and the verifier that waits for the answer.
    private static func begun() throws -> (verifier: NTLMVerifier, challenge: NTLMChallengeMessage) {
        var verifier = NTLMVerifier()
        guard case .challenge(let token) = try Self.receive(&verifier, NTLMNegotiateMessage.bytes) else {
            throw Unexpected()
        }
        let challenge = Base64.decode(token).flatMap { NTLMChallengeMessage($0) }
        return (verifier, try #require(challenge))
    }

    private struct Unexpected: Error {}

    private static func answer(
        to challenge: NTLMChallengeMessage, identity: String = "CORP\\alice", password: Secret = "Pässword"
    ) -> [UInt8] {
        NTLMAnswer(
            identity: NTLMIdentity(identity), hash: NTHash(password: password),
            clientChallenge: [UInt8](repeating: 0xAA, count: 8), time: 0, host: "proxy", channelBinding: nil
        ).message(to: challenge)
    }

    @Test(
        "three messages let in who knows the password, whatever his domain and the case of his name",
        arguments: ["CORP\\alice", "ALICE", "Alice", "other/aLiCe"])
    func right(identity: String) throws {
        var (verifier, challenge) = try Self.begun()
        #expect(challenge.serverChallenge == Self.serverChallenge)
        #expect(challenge.targetInfo.timestamp == LittleEndian.bytes(Self.time))
        let answer = Self.answer(to: challenge, identity: identity)
        #expect(try Self.receive(&verifier, answer) == .user("Alice"))
        // One challenge, one answer.
        #expect(try Self.receive(&verifier, answer) == .unknown)
    }

    @Test("who does not know it is nobody")
    func wrong() throws {
        for (identity, password) in [
            ("alice", "password"), ("mallory", "Pässword"), ("mallory", ""), ("", ""),
        ] as [(String, Secret)] {
            var (verifier, challenge) = try Self.begun()
            let answer = Self.answer(to: challenge, identity: identity, password: password)
            #expect(try Self.receive(&verifier, answer) == .unknown, "\(identity)")
        }
    }

    @Test("an answer to another challenge, or with any octet of its proof, blob or code changed, is nobody's")
    func tampered() throws {
        let (verifier, challenge) = try Self.begun()
        let good = Self.answer(to: challenge)
        let response = Int(try #require(LittleEndian.read(UInt32.self, from: good, at: 24)))
        for index in Array(72..<88) + Array(response..<response + 60) {
            var changed = good
            changed[index] ^= 1
            var verifier = verifier
            #expect(try Self.receive(&verifier, changed) == .unknown, "octet \(index)")
        }
    }

    @Test("a message that ends too soon, or comes without the first, is nobody's")
    func cut() throws {
        let (verifier, challenge) = try Self.begun()
        let good = Self.answer(to: challenge)
        for length in 0..<good.count where length.isMultiple(of: 3) || length < 90 {
            var verifier = verifier
            #expect(try Self.receive(&verifier, Array(good[..<length])) == .unknown, "\(length) octets")
        }
        var fresh = NTLMVerifier()
        #expect(try Self.receive(&fresh, good) == .unknown)
        #expect(try Self.receive(&fresh, Array(NTLMNegotiateMessage.bytes[..<15])) == .unknown)
    }

    @Test("the answers of NTLM version 1 do not count")
    func versionOne() throws {
        var (verifier, challenge) = try Self.begun()
        var answer = Self.answer(to: challenge)
        // The length of the response that every version 1 client sends.
        answer[20] = 24
        answer[21] = 0
        #expect(try Self.receive(&verifier, answer) == .unknown)
    }

    @Test(
        "a broken users file is an error with its line, which tells no hash",
        arguments: [
            "alice", ":00", "alice:xyz", "alice:8846f7eaee8fb117ad06bdd830b7586", "a:\(zeros)\nA:\(zeros)",
        ])
    func file(text: String) throws {
        let error = #expect(throws: UserTableError.self) { try NTLMUserTable(parsing: text) }
        #expect(error?.line == (text.contains("\n") ? 2 : 1))
        #expect(error?.description.contains("8846f7") == false)
    }
}

private let zeros = String(repeating: "0", count: 32)
