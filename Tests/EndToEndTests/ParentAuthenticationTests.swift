import CulvertInterop
import Foundation
import Testing

/// Plain requests through parents that ask who is there and open no tunnel to the ports of plain HTTP.
@Suite(
    "plain requests and the authentication of a parent", .serialized, .timeLimit(.minutes(5)),
    .requires(.curl, .openssl, .python3))
struct ParentAuthenticationTests {
    /// alice's `secret` as the parent's URL holds it.
    private static func proxy(_ parent: String, user: String = "alice", password: String = "secret")
        async throws -> CulvertProxyProcess
    {
        try await CulvertProxyProcess([
            "--upstream", parent.replacing("://", with: "://\(user):\(password)@"),
        ])
    }

    @Test(
        "Digest: Squid's one 407 is for the first request, every later one has its own answer",
        .requires(.squid))
    func digestSquid() async throws {
        let parent = try await ProxyServers.strictDigestSquid()
        let proxy = try await Self.proxy(parent.url(credentials: ""))
        try await proxy.expectPlain()
        #expect(try parent.logged(status: 407) == 1)
        #expect(try parent.logged(status: 403) == 0)
        try await self.expectCurl("--proxy-digest", "alice:secret", parent.url(credentials: ""))

        let before = try parent.logged(status: 407)
        let wrong = try await Self.proxy(parent.url(credentials: ""), password: "not-it")
        let line = try await wrong.expectRefusal()
        #expect(line.contains("rejects the user name or password (digest realm=\"office\")"), "\(line)")
        // Once without an answer, once with.
        #expect(try parent.logged(status: 407) == before + 2)
    }

    @Test("Digest: Apache forwards for the right password, and for no other", .requires(.apache2))
    func digestApache() async throws {
        let parent = try await ProxyServers.shared.server(.apacheDigest)
        try await Self.proxy(parent.url(credentials: "")).expectPlain()
        try await self.expectCurl("--proxy-digest", "alice:secret", parent.url(credentials: ""))
        _ = try await Self.proxy(parent.url(credentials: ""), password: "not-it").expectRefusal()
    }

    @Test("NTLM: one handshake a connection, and none of its requests says more", arguments: [false, true])
    func ntlm(isTLS: Bool) async throws {
        let parent = try await NTLMProxy(isTLS: isTLS, environment: ["NTLM_PROXY_TUNNELS": "no"])
        let certificates = try await TestCertificates.shared()
        let url = parent.url + (isTLS ? "?ca=\(certificates.authority)" : "")
        let proxy = try await Self.proxy(url, user: "CORP%5Calice")
        try await proxy.expectPlain()
        let connections = parent.count("connected")
        #expect(Set(parent.accepted) == ["CORP\\alice"])
        // The first request did not know that it had to offer.
        #expect(parent.count("accepted") == connections && parent.count("challenged") == connections + 1)
        let forwarded = parent.events.filter { $0.event == "forwarded" }
        #expect(forwarded.count { $0.proves == true } == connections && forwarded.count > connections)
        #expect(parent.count("denied") == 0 && parent.count("rejected") == 0)
        // A body is sent to who has let it in: what is challenged ahead of it has none.
        #expect(parent.events.allSatisfy { $0.event != "challenged" || ["GET", "HEAD"].contains($0.method) })
        // curl binds no channel.
        if !isTLS { try await self.expectCurl("--proxy-ntlm", "CORP\\alice:secret", parent.url) }
    }

    @Test("NTLM: a rejected password is tried once")
    func wrongNTLM() async throws {
        let parent = try await NTLMProxy(isTLS: false)
        let proxy = try await Self.proxy(parent.url, user: "CORP%5Calice", password: "not-it")
        let line = try await proxy.expectRefusal()
        #expect(line.contains("rejects the user name or password"), "\(line)")
        #expect(parent.count("rejected") == 1 && parent.count("accepted") == 0)
    }

    @Test("NTLM: a connection that the parent closes under a request is followed by another, proved anew")
    func closedUnderRequest() async throws {
        let parent = try await NTLMProxy(
            isTLS: false, environment: ["NTLM_PROXY_TUNNELS": "no", "NTLM_PROXY_REQUESTS": "2"])
        let proxy = try await Self.proxy(parent.url, user: "CORP%5Calice")
        let origin = try await Origins.shared.plainWeb()
        let pages = try await proxy.curl([origin.url("/hello?[1-5]")])
        #expect(pages.text == String(repeating: "hello from the origin\n", count: 5), "\(pages.errors)")
        #expect(parent.count("connected") == 3 && parent.count("accepted") == 3)
    }

    @Test("a long body that is challenged is wanted once more, and then passes at once")
    func firstIsLong() async throws {
        let parent = try await NTLMProxy(isTLS: false, environment: ["NTLM_PROXY_TUNNELS": "no"])
        let proxy = try await Self.proxy(parent.url, user: "CORP%5Calice")
        let origin = try await Origins.shared.plainWeb()
        let body = [UInt8](SystemRandom.bytes(300_000))
        let send = ["-i", "-H", "Expect:", "--data-binary", "@-", origin.url("/sink")]
        let first = try await proxy.curl(send, input: body)
        #expect(first.text.hasPrefix("HTTP/1.1 503 ") && first.text.contains("Retry-After: 0\r\n"))
        let second = try await proxy.curl(send, input: body)
        #expect(second.text.hasSuffix(" 300000\n"), "\(second.text) \(second.errors)")
        #expect(
            parent.events.filter { $0.event == "challenged" }.compactMap(\.method) == ["POST", "HEAD"])
    }

    @Test(
        "Kerberos: Squid is shown one ticket a connection, and no ticket is told",
        .requires(.krb5kdc, .kinit, .squid))
    func kerberos() async throws {
        let realm = try await KerberosRealm()
        let parent = try await realm.squid(rules: ProxyServers.tunnelsOnlyToTLS)
        let url = parent.url(credentials: "")
        let proxy = try await CulvertProxyProcess(["--upstream", url], environment: realm.environment)
        try await proxy.expectPlain()
        #expect(try parent.logged(status: 407) == 1)
        #expect(try parent.logged(status: 403) == 0)
        try await self.expectCurl("--proxy-negotiate", ":", url, environment: realm.environment)

        let none = try await CulvertProxyProcess(
            ["--upstream", url],
            environment: realm.environment.merging(["KRB5CCNAME": "FILE:/nonexistent"]) { $1 })
        let line = try await none.expectRefusal()
        #expect(line.contains("no Kerberos ticket for HTTP/localhost"), "\(line)")
    }

    @Test("a parent of our own lets NTLM users in, and knows who they are")
    func ownParent() async throws {
        // MD4 of "secret" in UTF-16.
        let users = try Workspace.file("users", "alice:878d8014606cda29677a44efa1353fc7\n", in: "ntlm-users")
        let parent = try await CulvertProxyProcess(["--ntlm-file", users.path])
        try await Self.proxy(parent.url, user: "CORP%5Calice").expectPlain()
        let passed = try parent.log().filter { $0.status == 200 }
        #expect(!passed.isEmpty && passed.allSatisfy { $0.user == "alice" && $0.method != "CONNECT" })
    }

    /// What curl does with the same parent, in absolute form.
    private func expectCurl(
        _ scheme: String, _ user: String, _ parent: String, environment: [String: String] = [:]
    ) async throws {
        let origin = try await Origins.shared.plainWeb()
        let result = try await Command.run(
            ["curl", "-sS", scheme, "--proxy-user", user, "-x", parent, origin.url("/hello")],
            environment: environment)
        #expect(result.text == "hello from the origin\n", "\(result.errors)")
    }
}

extension CulvertProxyProcess {
    fileprivate func curl(_ arguments: [String], input: [UInt8]? = nil) async throws -> CommandResult {
        try await Command.run(
            ["curl", "-sS", "-v", "--max-time", "60", "-x", self.url] + arguments, input: input,
            within: .seconds(90))
    }

    /// Five requests on one connection, uploads of every kind, and another client; nobody sees a 407.
    fileprivate func expectPlain() async throws {
        let origin = try await Origins.shared.plainWeb()
        let pages = try await self.curl([origin.url("/hello?[1-5]")])
        #expect(pages.text == String(repeating: "hello from the origin\n", count: 5), "\(pages.errors)")
        let body = [UInt8](SystemRandom.bytes(2_000_000))
        let long = body.count
        for (arguments, input) in [
            (["-d", "hello"], nil), (["-T", "-"], body), (["-H", "Expect:", "--data-binary", "@-"], body),
            (["-H", "Expect: 100-continue", "--data-binary", "@-"], body),
        ] as [([String], [UInt8]?)] {
            let upload = try await self.curl(arguments + [origin.url("/sink")], input: input)
            #expect(
                upload.text.hasSuffix(input == nil ? " 5\n" : " \(long)\n"), "\(upload.errors.suffix(900))")
            #expect(!upload.errors.contains("HTTP/1.1 407"))
        }
        let other = try await self.curl([origin.url("/hello")])
        #expect(other.text == "hello from the origin\n", "\(other.errors)")
        #expect(!(pages.errors + other.errors).contains("HTTP/1.1 407"), "\(pages.errors)")
        #expect(!self.process.output.text.contains("secret") && !self.process.errors.text.contains("secret"))
    }

    /// - Returns: why, as the access log has it.
    fileprivate func expectRefusal() async throws -> String {
        let origin = try await Origins.shared.plainWeb()
        let refused = try await self.curl(["-i", origin.url("/hello")])
        #expect(refused.text.hasPrefix("HTTP/1.1 502 "), "\(refused.text)")
        #expect(!refused.text.contains("Authenticate") && !refused.text.contains("origin\n"))
        let line = try await self.logLine(for: origin.url("/hello"))
        #expect(!self.process.output.text.contains("not-it"))
        return line.reason ?? ""
    }
}
