import CulvertInterop
import Foundation
import Testing

/// `culvert proxy` challenges by Digest, NTLM and Negotiate; curl and `culvert ws` answer.
@Suite(
    "the schemes of culvert proxy's users", .serialized, .timeLimit(.minutes(5)),
    .requires(.curl, .openssl, .node))
struct ProxyUserSchemesTests {
    private func file(_ text: String) throws -> String {
        try Workspace.file("users", text, in: "users").path
    }

    /// As `htdigest` would write it.
    private func digestLine(_ function: String) async throws -> String {
        let hash = try await Command.check(
            ["openssl", "dgst", "-\(function)", "-r"], input: Array("alice:Culvert:secret".utf8))
        return "alice:Culvert:\(hash.text.prefix { $0 != " " })\n"
    }

    @Test(
        "Digest lets the right password in, by tunnel and by request, and no other",
        arguments: ["md5", "sha256"])
    func digest(function: String) async throws {
        let users = try self.file(try await self.digestLine(function))
        let proxy = try await CulvertProxyProcess(["--digest-file", users])
        var attempt = AuthenticationAttempt(proxy: proxy.url, user: "alice", scheme: "--proxy-digest")
        let right = try await attempt.culvertAndCurl()
        #expect(right.status == 0, "\(right.errors)")
        let forwarded = try await attempt.curl(
            Origins.shared.plainWeb().url("/hello"), "-w", " %{http_code}")
        #expect(forwarded.text.hasSuffix(" 200"), "\(forwarded.errors)")
        #expect(try proxy.log().contains { $0.method == "GET" && $0.user == "alice" && $0.status == 200 })
        attempt.password = "wrong"
        let wrong = try await attempt.culvertAndCurl()
        #expect(wrong.status == 4, "\(wrong.errors)")
        #expect(wrong.errors.contains("rejects the user name or password"), "\(wrong.errors)")
        #expect(!proxy.process.errors.text.contains("secret"))
    }

    @Test("a right answer to a nonce that is not ours is stale: nobody is asked for the password again")
    func stale() async throws {
        let users = try self.file(try await self.digestLine("md5"))
        let proxy = try await CulvertProxyProcess(["--digest-file", users])
        let connection = try await proxy.connect()
        let old = """
            Digest username="alice", realm="Culvert", nonce="00", uri="a:1", algorithm=MD5, qop=auth, nc=00000001, \
            cnonce="x", response="\(try await self.response(nonce: "00"))"
            """
        try await connection.send(
            "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: \(old)\r\n\r\n")
        let answer = try await connection.receive(until: "\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 407 "))
        #expect(answer.contains("stale=true"), "\(answer)")
        await connection.close()
    }

    private func response(nonce: String) async throws -> String {
        let md5 = { (text: String) in
            let result = try await Command.check(["openssl", "dgst", "-md5", "-r"], input: Array(text.utf8))
            return String(result.text.prefix { $0 != " " })
        }
        let key = try await md5("alice:Culvert:secret")
        let subject = try await md5("CONNECT:a:1")
        return try await md5("\(key):\(nonce):00000001:x:auth:\(subject)")
    }

    @Test("NTLM lets the right password in, by tunnel and by connection, and no other")
    func ntlm() async throws {
        // MD4 of "secret" in UTF-16.
        let users = try self.file("alice:878d8014606cda29677a44efa1353fc7\n")
        let proxy = try await CulvertProxyProcess(["--ntlm-file", users])
        var attempt = AuthenticationAttempt(proxy: proxy.url, user: "CORP\\alice", scheme: "--proxy-ntlm")
        let right = try await attempt.culvertAndCurl()
        #expect(right.status == 0, "\(right.errors)")
        // Two plain requests: the second says nothing, its connection is alice's.
        let url = try await Origins.shared.plainWeb().url("/hello")
        let both = try await attempt.curl(url, url, "-w", " %{http_code}\n")
        #expect(both.text.components(separatedBy: " 200\n").count == 3, "\(both.text) \(both.errors)")
        let gets = try proxy.log().filter { $0.method == "GET" && $0.status == 200 }
        #expect(gets.map(\.user) == ["alice", "alice"])
        attempt.password = "wrong"
        let wrong = try await attempt.culvertAndCurl()
        #expect(wrong.status == 4, "\(wrong.errors)")
    }

    @Test("Negotiate lets in who has a ticket, as user@REALM, and nobody else", .requires(.krb5kdc, .kinit))
    func negotiate() async throws {
        let realm = try await KerberosRealm()
        let proxy = try await CulvertProxyProcess(
            ["--kerberos-keytab", realm.keyTable], environment: realm.environment)
        var attempt = AuthenticationAttempt(
            proxy: "http://localhost:\(proxy.port)", user: "", password: "", scheme: "--proxy-negotiate",
            environment: realm.environment)
        let right = try await attempt.culvertAndCurl()
        #expect(right.status == 0, "\(right.errors) \(proxy.process.errors.text)")
        #expect(try proxy.log().contains { $0.user == "alice@\(KerberosRealm.name)" && $0.status == 200 })
        attempt.environment["KRB5CCNAME"] = "FILE:/nonexistent/tickets"
        let none = try await attempt.culvertAndCurl()
        #expect(none.status == 4, "\(none.errors)")
    }

    @Test("a key table that cannot be read, and a file of another realm, are errors that say so")
    func mistakes() async throws {
        let missing = try await CulvertCommand.run(["proxy", "--kerberos-keytab", "/nonexistent/keytab"])
        #expect(missing.status == 64)
        #expect(missing.errors.contains("/nonexistent/keytab cannot be read"), "\(missing.errors)")
        let users = try self.file("alice:Other:0123456789abcdef0123456789abcdef\n")
        let realm = try await CulvertCommand.run(["proxy", "--digest-file", users])
        #expect(realm.status == 64)
        #expect(
            realm.errors.contains("line 1: the realm is not the proxy's, which is \"Culvert\""),
            "\(realm.errors)")
    }
}
