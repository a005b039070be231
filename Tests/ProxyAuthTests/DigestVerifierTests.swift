import HTTPWire
import Testing

@testable import ProxyAuth

@Suite("Digest, the proxy's side")
struct DigestVerifierTests {
    private static let realm = "culvert"
    private static let credentials = ProxyCredentials(user: "alice", password: "wonder:land")
    private static let start = ContinuousClock.now
    private static let request = ProxyAuthenticator.Request(method: "CONNECT", target: "example.com:443")

    private static func table(_ function: String = "MD5") throws -> DigestUserTable {
        let algorithm = try #require(DigestAlgorithm(function))
        let hash = algorithm.hash("alice:\(Self.realm):wonder:land")
        return try DigestUserTable(parsing: "# users\nalice:\(Self.realm):\(hash)\n", realm: Self.realm)
    }

    private static func verifier(_ table: DigestUserTable, capacity: Int = 100) -> DigestVerifier {
        DigestVerifier(
            users: table, realm: Self.realm, key: Array(0..<32), at: Self.start, capacity: capacity)
    }

    private static func session(
        _ verifier: DigestVerifier, random: UInt64 = 1, at now: ContinuousClock.Instant = start
    ) throws -> DigestSession {
        let lines = verifier.challenges(random: random, isStale: false, at: now)
        let challenge = try #require(Challenge.parse(lines).compactMap(DigestChallenge.init).first)
        return DigestSession(challenge, clientNonce: "0a4f113b")
    }

    private static func answer(_ session: inout DigestSession, _ credentials: ProxyCredentials = credentials)
        throws -> String
    {
        let answer = session.authorization(for: Self.request, credentials: credentials)
        return try #require(answer)
    }

    private static func verify(
        _ verifier: inout DigestVerifier, _ answer: String, at now: ContinuousClock.Instant = start
    ) -> DigestVerifier.Outcome {
        verifier.verify(answer, method: Self.request.method, target: Self.request.target, at: now)
    }

    @Test("who knows the password is let in, by either hash", arguments: ["MD5", "SHA-256"])
    func right(function: String) throws {
        var verifier = Self.verifier(try Self.table(function))
        var session = try Self.session(verifier)
        #expect(Self.verify(&verifier, try Self.answer(&session)) == .user("alice"))
        #expect(Self.verify(&verifier, try Self.answer(&session)) == .user("alice"))
    }

    @Test(
        "who does not is nobody",
        arguments: [
            ProxyCredentials(user: "alice", password: "wonder"),
            .init(user: "mallory", password: "wonder:land"),
            .init(user: "", password: ""), .init(user: "mallory", password: ""),
        ])
    func wrong(credentials: ProxyCredentials) throws {
        var verifier = Self.verifier(try Self.table())
        var session = try Self.session(verifier)
        #expect(Self.verify(&verifier, try Self.answer(&session, credentials)) == .unknown)
    }

    @Test("an answer serves once; on two connections they may overtake one another")
    func replay() throws {
        var verifier = Self.verifier(try Self.table())
        var session = try Self.session(verifier)
        let answers = try (0..<100).map { _ in try Self.answer(&session) }
        for index in [0, 2, 1, 70, 69, 10] {
            #expect(Self.verify(&verifier, answers[index]) == .user("alice"), "\(index)")
            #expect(Self.verify(&verifier, answers[index]) == .stale, "\(index) again")
        }
        #expect(Self.verify(&verifier, answers[3]) == .stale, "too far behind to be known")
    }

    @Test("a nonce that is old, of another proxy, or made up is stale for who knows the password")
    func stale() throws {
        var verifier = Self.verifier(try Self.table())
        var session = try Self.session(verifier)
        let answer = try Self.answer(&session)
        #expect(Self.verify(&verifier, answer, at: Self.start + .seconds(301)) == .stale)
        let other = DigestVerifier(
            users: try Self.table(), realm: Self.realm, key: Array(1..<33), at: Self.start)
        var foreign = try Self.session(other)
        #expect(Self.verify(&verifier, try Self.answer(&foreign)) == .stale)
        #expect(Self.verify(&verifier, answer) == .user("alice"))
    }

    @Test("when nonces are forgotten, used ones do not become good again")
    func forgotten() throws {
        var verifier = Self.verifier(try Self.table(), capacity: 4)
        var first = try Self.session(verifier)
        let answer = try Self.answer(&first)
        #expect(Self.verify(&verifier, answer) == .user("alice"))
        for number in 2..<20 {
            let now = Self.start + .milliseconds(number)
            var session = try Self.session(verifier, random: UInt64(number), at: now)
            #expect(Self.verify(&verifier, try Self.answer(&session), at: now) == .user("alice"))
        }
        #expect(Self.verify(&verifier, answer, at: Self.start + .milliseconds(20)) == .stale)
    }

    @Test("an answer to another request is none to this one; curl's path alone is")
    func target() throws {
        var verifier = Self.verifier(try Self.table())
        let cases = [
            ("GET", "/a?b", "GET", "http://example.com/a?b", true),
            ("GET", "/", "GET", "http://example.com", true),
            ("GET", "http://example.com/a", "GET", "http://example.com/a", true),
            ("GET", "/a", "GET", "http://example.com/b", false),
            ("GET", "/a", "POST", "http://example.com/a", false),
            ("CONNECT", "a:443", "CONNECT", "b:443", false),
        ]
        for (number, (method, uri, actualMethod, target, isRight)) in cases.enumerated() {
            var session = try Self.session(verifier, random: UInt64(number))
            let made = session.authorization(
                for: .init(method: method, target: uri), credentials: Self.credentials)
            let answer = try #require(made)
            let outcome = verifier.verify(answer, method: actualMethod, target: target, at: Self.start)
            #expect(outcome == (isRight ? .user("alice") : .unknown), "\(uri) for \(target)")
        }
    }

    @Test("what is broken, doubled or weaker than asked is nobody")
    func broken() throws {
        var verifier = Self.verifier(try Self.table())
        var session = try Self.session(verifier)
        let answer = try Self.answer(&session)
        for (part, change) in [
            ("qop=auth", "qop=auth-int"), ("qop=auth, ", ""), ("nc=00000001", "nc=1"),
            ("nc=00000001", "nc=00000000"), ("nc=00000001", "nc=+0000001"), ("Digest ", "Basic "),
            ("algorithm=MD5", "algorithm=MD5-sess"), ("algorithm=MD5", "algorithm=SHA-256"),
            ("cnonce=\"0a4f113b\"", "cnonce=\"\""),
            ("username=\"alice\"", "username=\"alice\", username=\"bob\""),
            ("realm=\"culvert\"", "realm=\"other\""), ("response=\"", "response=\"0"),
        ] {
            #expect(answer.contains(part))
            let changed = answer.replacing(part, with: change)
            #expect(Self.verify(&verifier, changed) == .unknown, "\(change) for \(part)")
        }
    }

    @Test(
        "a broken users file is an error with its line, which tells no hash",
        arguments: [
            "alice", "alice:culvert", ":culvert:0123456789abcdef0123456789abcdef",
            "alice:other:0123456789abcdef0123456789abcdef", "alice:culvert:xyz",
            "bob:culvert:0123456789abcdef0123456789abcdef\nbob:culvert:0123456789abcdef0123456789abcdef",
        ])
    func file(text: String) throws {
        let error = #expect(throws: UserTableError.self) {
            try DigestUserTable(parsing: "# comment\n" + text, realm: "culvert")
        }
        #expect(error?.line == (text.contains("\n") ? 3 : 2))
        #expect(error?.description.contains("0123456789abcdef") == false)
    }
}
