import HTTPWire
import Testing

@testable import ProxyAuth

@Suite("The table of users")
struct UserTableTests {
    private static let hashed = "$6$rounds=1000$salt$" + String(repeating: "a", count: 86)
    private static func token(_ fieldValue: String) -> String? {
        AuthorizationField(fieldValue).flatMap(TokenTable.token)
    }

    private static let other = "$2y$10$" + String(repeating: "b", count: 53)

    private func credentials(_ user: String, _ password: String) -> ProxyCredentials {
        ProxyCredentials(user: user, password: Secret(password))
    }

    private let noCrypt: UserTable.Crypt = { _, _ in
        Issue.record("a plain password needs no hash")
        return nil
    }

    @Test(
        "only the right name and password are let in",
        arguments: [
            ("alice", "secret", true), ("bob", "with:colon", true), ("empty", "", true),
            ("alice", "Secret", false), ("alice", "", false), ("alice", "secret2", false),
            ("nobody", "secret", false), ("nobody", "", false), ("", "", false), ("Alice", "secret", false),
        ])
    func verify(user: String, password: String, isLetIn: Bool) {
        let table = UserTable(["alice": "secret", "bob": "with:colon", "empty": ""])
        let verified = table.verify(self.credentials(user, password), crypt: self.noCrypt)
        #expect(verified == (isLetIn ? user : nil))
        #expect(!table.isSlow)
    }

    @Test("plain text is taken when it is asked for: comments, empty lines and CRLF are understood")
    func parse() throws {
        let text = "# users\n\nalice:secret\r\nbob:p:q\n"
        let table = try UserTable(parsing: text, allowsPlainText: true)
        #expect(table.count == 2)
        #expect(table.verify(self.credentials("bob", "p:q"), crypt: self.noCrypt) == "bob")
        #expect(table.verify(self.credentials("alice", "secret"), crypt: self.noCrypt) == "alice")
        #expect(throws: UserTableError.self) { try UserTable(parsing: text) }
    }

    @Test("a hash is compared as a whole, and an unknown user costs one of the usual effort")
    func hashes() throws {
        let table = try UserTable(
            parsing: "a:\(Self.hashed)\nb:\(Self.hashed)\nc:\(Self.other)\nd:plain", allowsPlainText: true)
        #expect(table.isSlow)
        #expect(table.probes.count == 2)
        var settings: [String] = []
        let crypt: UserTable.Crypt = { password, setting in
            settings.append(setting)
            return password == "right" ? setting : setting.replacing("aaa", with: "aab")
        }
        #expect(table.verify(self.credentials("a", "right"), crypt: crypt) == "a")
        #expect(table.verify(self.credentials("a", "wrong"), crypt: crypt) == nil)
        #expect(table.verify(self.credentials("nobody", "right"), crypt: crypt) == nil)
        #expect(table.verify(self.credentials("c", "right"), crypt: crypt) == "c")
        #expect(settings == [Self.hashed, Self.hashed, Self.hashed, Self.other])
        #expect(table.verify(self.credentials("a", "right"), crypt: { _, _ in nil }) == nil)
    }

    @Test(
        "a line that is none is named, its content is not",
        arguments: [
            ("alice:topsecret", 1), ("alice", 1), (":topsecret", 1), ("# a\nalice:$apr1$topsecret$x", 2),
            ("alice:{SHA}topsecret", 1), ("alice:$2y$31$" + String(repeating: "t", count: 53), 1),
            ("alice:$2y$10$topsecret", 1), ("alice:$6$topsecret", 1), ("alice:$5$rounds=1$a$topsecret", 1),
            ("alice:$6$rounds=999999999$a$" + String(repeating: "t", count: 86), 1),
            ("a:\(Self.hashed)\na:\(Self.hashed)", 2),
        ])
    func mistakes(text: String, line: Int) throws {
        let error = try #require(throws: UserTableError.self) { try UserTable(parsing: text) }
        #expect(error.line == line)
        #expect(!error.description.contains("topsecret"))
    }

    @Test("tokens are known by their hash alone")
    func tokens() throws {
        let table = try TokenTable(
            parsing: "# tokens\nalice:19c28a50b1a09097592e7ceddb7e0771ff4d469747541a7536579eef857e05ce\n")
        #expect(table.count == 1)
        #expect(table.user(forToken: "token-of-alice") == "alice")
        #expect(table.user(forToken: "token-of-bob") == nil)
        #expect(Self.token("Bearer  abc") == "abc")
        #expect(Self.token("bearer abc") == "abc")
        #expect(Self.token("Basic abc") == nil)
        for text in ["alice:topsecret", "alice", "alice:" + String(repeating: "g", count: 64)] {
            let error = try #require(throws: UserTableError.self) { try TokenTable(parsing: text) }
            #expect(!error.description.contains("topsecret"))
        }
    }

    @Test("verified credentials count for a while, for these alone")
    func cache() throws {
        let start = ContinuousClock.now
        var verified = VerifiedCredentials(lifetime: .seconds(60), capacity: 2)
        let hash = CredentialsHash(key: Array(repeating: 7, count: 32))
        let right = hash.digest(of: self.credentials("alice", "secret"))
        let wrong = hash.digest(of: self.credentials("alice", "Secret"))
        #expect(!verified.contains("alice", digest: right, at: start))
        verified.insert("alice", digest: right, at: start)
        #expect(verified.contains("alice", digest: right, at: start + .seconds(59)))
        #expect(!verified.contains("alice", digest: right, at: start + .seconds(60)))
        #expect(!verified.contains("alice", digest: wrong, at: start))
        #expect(!verified.contains("bob", digest: right, at: start))
        verified.insert("bob", digest: right, at: start)
        verified.insert("carol", digest: right, at: start + .seconds(61))
        #expect(!verified.contains("bob", digest: right, at: start), "room was made")
        #expect(verified.contains("carol", digest: right, at: start + .seconds(61)))
    }
}
