import Testing

@testable import ProxyAuth

@Suite("Users of a proxy")
struct UserTableTests {
    let table = UserTable(["alice": "secret", "bob": "with:colon", "empty": ""])

    @Test(
        "only the right password lets in",
        arguments: [
            ("alice", "secret", true), ("alice", "Secret", false), ("alice", "secre", false),
            ("alice", "secrets", false), ("alice", "", false), ("bob", "with:colon", true),
            ("bob", "with", false),
            ("empty", "", true), ("nobody", "", false), ("", "", false), ("nobody", "secret", false),
        ])
    func verify(user: String, password: String, isLetIn: Bool) {
        let value = BasicScheme.authorization(for: .init(user: user, password: Secret(password)))
        #expect(self.table.verify(authorization: value) == (isLetIn ? user : nil))
    }

    @Test("no authorization lets nobody in")
    func missing() {
        #expect(self.table.verify(authorization: nil) == nil)
        #expect(self.table.verify(authorization: "Digest username=\"alice\"") == nil)
    }

    @Test("a file has one user per line, with comments and either line end")
    func file() throws {
        let table = try UserTable(parsing: "# users\n\nalice:secret\r\nbob:p:q\n")
        #expect(table.count == 2)
        let value = BasicScheme.authorization(for: .init(user: "bob", password: "p:q"))
        #expect(table.verify(authorization: value) == "bob")
    }

    @Test(
        "a bad line is named, its content is not",
        arguments: [
            ("alice:secret\nhunter2", 2), (":nameless", 1), ("a:1\n\n# c\na:2", 4),
        ])
    func badLine(text: String, line: Int) {
        let error = #expect(throws: UserTableError.self) { try UserTable(parsing: text) }
        #expect(error?.line == line)
        #expect(error?.description.contains("hunter2") == false)
    }
}
