import Foundation
import ProxyAuth
import Testing

@testable import CulvertTunnel

@Suite("Where credentials are kept")
struct ProxyCredentialSourceTests {
    @Test(
        "forms of a source",
        arguments: [
            ("file:/etc/secret", ProxyCredentialSource.file("/etc/secret")), ("netrc", .netrc(nil)),
            ("netrc:/a/b", .netrc("/a/b")), ("env:NAME", .variable("NAME")),
            ("command:pass show a:b", .command("pass show a:b")), ("file", nil), ("file:", nil),
            ("env:", nil),
            ("alice:secret", nil), ("", nil),
        ])
    func forms(text: String, source: ProxyCredentialSource?) {
        #expect(ProxyCredentialSource(text) == source)
    }

    @Test("lines of credentials")
    func lines() throws {
        #expect(
            try CredentialLine.parse("alice:se:cret\r\nmore", from: "x")
                == .init(user: "alice", password: "se:cret"))
        #expect(try CredentialLine.parse("CORP\\a:", from: "x") == .init(user: "CORP\\a", password: ""))
        #expect(try CredentialLine.parse("Bearer abc", from: "x") == .bearer("abc"))
        let hash = "878d8014606cda29677a44efa1353fc7"
        #expect(
            try CredentialLine.parse("a:$NT$\(hash)", from: "x") == .ntlm(user: "a", ntHash: Secret(hash)))
    }

    @Test(
        "what is no line of credentials is refused, and never repeated",
        arguments: ["", "topsecret", ":topsecret", "a:$NT$topsecret"])
    func noLine(text: String) {
        let error = #expect(throws: ProxyCredentialError.self) { try CredentialLine.parse(text, from: "x") }
        #expect(error?.description.hasPrefix("x: expected ") == true)
        #expect(error?.description.contains("topsecret") == false)
    }

    @Test(
        "entries of a netrc file",
        arguments: [
            ("machine p login a password b", "a:b"),
            ("machine P\nlogin \"a b\" password \"c\\\"d\"", "a b:c\"d"),
            ("# machine p login x password y\nmachine p login a password b # note", "a:b"),
            ("machine q login x password y default login a password b", "a:b"),
            ("default login x password y machine p login a password b", "a:b"),
            ("machine p account z login a password b", "a:b"), ("machine q login x", nil), ("machine p", nil),
            ("", nil), ("machine", nil), ("machine p login", nil),
        ] as [(String, String?)])
    func netrc(text: String, expected: String?) throws {
        let found = Netrc.credentials(forHost: "p", in: text)
        #expect(found == (try expected.map { try CredentialLine.parse($0, from: "x") }))
    }

    @Test("a command that fails is told, without what it printed")
    func command() {
        let source = ProxyCredentialSource.command("echo topsecret; exit 3")
        let error = #expect(throws: ProxyCredentialError.self) { try source.credentials(forHost: "p") }
        #expect(error?.description == "the command for the credentials ended with status 3")
        #expect(throws: Never.self) {
            try ProxyCredentialSource.command("echo a:b").credentials(forHost: "p")
        }
    }
}
