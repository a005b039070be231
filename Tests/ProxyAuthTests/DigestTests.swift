import HTTPWire
import Testing

@testable import ProxyAuth

@Suite("Digest (RFC 7616)")
struct DigestTests {
    private static func session(_ challenge: String, clientNonce: String) throws -> DigestSession {
        let parsed = try #require(Challenge.parse([challenge]).first)
        return DigestSession(try #require(DigestChallenge(parsed)), clientNonce: clientNonce)
    }

    private static func value(_ name: String, of field: String) -> String? {
        Challenge.parse([field]).first?.parameter(name)
    }

    @Test(
        "the examples of RFC 7616 §3.9.1 come out as printed",
        arguments: [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ])
    func examples(algorithm: String, response: String) throws {
        var session = try Self.session(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=\(algorithm), nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
            clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        let fieldValue = session.authorization(
            for: .init(method: "GET", target: "/dir/index.html"),
            credentials: .init(user: "Mufasa", password: "Circle of Life"))
        let field = try #require(fieldValue)
        #expect(Self.value("response", of: field) == response)
        #expect(Self.value("nc", of: field) == "00000001")
        #expect(Self.value("algorithm", of: field) == algorithm)
        #expect(Self.value("opaque", of: field) == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")
    }

    @Test("the user's name is hashed where the proxy asks for it (RFC 7616 §3.9.2)")
    func userHash() throws {
        let nonce = "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK"
        var session = try Self.session(
            "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-256, nonce=\"\(nonce)\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
            clientNonce: "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm")
        let credentials = ProxyCredentials(user: "J\u{E4}s\u{F8}n Doe", password: "Secret, or not?")
        let fieldValue = session.authorization(
            for: .init(method: "GET", target: "/doe.json"), credentials: credentials)
        let field = try #require(fieldValue)
        let algorithm = try #require(DigestAlgorithm("SHA-256"))
        #expect(Self.value("username", of: field) == algorithm.hash("J\u{E4}s\u{F8}n Doe:api@example.org"))
        #expect(Self.value("userhash", of: field) == "true")
    }

    @Test(
        "SHA-512-256 is the hash of FIPS 180-4", .enabled(if: SystemDigest.hasSHA512256, "no libcrypto here"))
    func sha512256() throws {
        let algorithm = try #require(DigestAlgorithm("sha-512-256"))
        #expect(algorithm.hash("abc") == "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23")
    }

    @Test("each answer counts the nonce up")
    func count() throws {
        var session = try Self.session("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"", clientNonce: "c")
        let request = ProxyAuthenticator.Request(method: "CONNECT", target: "example.com:443")
        let alice = ProxyCredentials(user: "alice", password: "secret")
        let fields = (0..<17).compactMap { _ in session.authorization(for: request, credentials: alice) }
        #expect(fields.map { Self.value("nc", of: $0) }.last == "00000011")
        #expect(Set(fields.map { Self.value("response", of: $0) }).count == 17)
        #expect(fields.allSatisfy { Self.value("uri", of: $0) == "example.com:443" })
    }

    @Test("-sess binds the key to both nonces, and without qop the answer is RFC 2069's")
    func variants() throws {
        let request = ProxyAuthenticator.Request(method: "CONNECT", target: "a:1")
        let alice = ProxyCredentials(user: "u", password: "p")
        let md5 = DigestAlgorithm.md5
        var bound = try Self.session(
            "Digest realm=r, nonce=n, qop=auth, algorithm=MD5-sess", clientNonce: "c")
        let key = md5.hash("\(md5.hash("u:r:p")):n:c")
        let fieldValue = bound.authorization(for: request, credentials: alice)
        let field = try #require(fieldValue)
        #expect(
            Self.value("response", of: field)
                == md5.hash("\(key):n:00000001:c:auth:\(md5.hash("CONNECT:a:1"))"))
        var old = try Self.session("Digest realm=r, nonce=n", clientNonce: "c")
        let answerValue = old.authorization(for: request, credentials: alice)
        let answer = try #require(answerValue)
        #expect(
            Self.value("response", of: answer)
                == md5.hash("\(md5.hash("u:r:p")):n:\(md5.hash("CONNECT:a:1"))"))
        #expect(Self.value("nc", of: answer) == nil && Self.value("algorithm", of: answer) == nil)
    }

    @Test(
        "challenges that cannot be answered",
        arguments: [
            "Digest realm=r", "Digest nonce=n", "Digest realm=r, nonce=n, qop=auth-int",
            "Digest realm=r, nonce=n, algorithm=SHA-1", "Basic realm=r",
        ])
    func unanswerable(challenge: String) throws {
        #expect(DigestChallenge(try #require(Challenge.parse([challenge]).first)) == nil)
    }

    @Test("quotes and backslashes are escaped, and no line break comes back")
    func quoting() throws {
        var session = try Self.session("Digest realm=\"a \\\"b\\\" \\\\\", nonce=\"n\"", clientNonce: "c")
        let fieldValue = session.authorization(
            for: .init(method: "CONNECT", target: "a:1"), credentials: .init(user: "x\"y", password: "p"))
        let field = try #require(fieldValue)
        #expect(field.contains(#"realm="a \"b\" \\""#))
        #expect(field.contains(#"username="x\"y""#))
        let broken = ProxyCredentials(user: "a\r\nX: y", password: "p")
        #expect(
            session.authorization(for: .init(method: "CONNECT", target: "a:1"), credentials: broken) == nil)
    }
}
