import CulvertInterop
import Testing

/// `culvert connect` against every odd answer to CONNECT.
@Suite("odd answers to CONNECT", .serialized, .timeLimit(.minutes(4)), .requires(.python3))
struct ScriptedProxyTests {
    static let accepting = [
        "http-1.0", "no-reason", "no-reason-but-a-space", "status-201", "status-204", "status-299",
        "content-length-on-200", "content-length-zero-on-200", "transfer-encoding-on-200",
        "connection-close-on-200",
        "one-1xx-first", "several-1xx-first", "lf-only", "blank-line-first", "folded-field",
        "line-without-colon",
        "6-kb-line", "20-kb-head",
    ]

    static let slow = [
        "byte-per-packet", "byte-per-packet+early-bytes", "byte-per-packet-lf-only",
        "byte-per-packet-several-1xx",
    ]

    /// Every byte value, lines that look like HTTP, and no length that is a power of two.
    static let payload: [UInt8] =
        Array("GET / HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n".utf8)
        + (0..<70_001).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    @Test(
        "the tunnel opens and carries every byte",
        arguments: accepting + accepting.map { "\($0)+early-bytes" } + slow)
    func accepts(oddity: String) async throws {
        let proxy = try await ScriptedProxy(oddity)
        let result = try await CulvertCommand.run(
            ["connect", "origin.test:4433", "--proxy", proxy.url()], bytes: Self.payload)
        let early = oddity.hasSuffix("+early-bytes") ? Array(ScriptedProxy.banner.utf8) : []
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, early + Self.payload, result.errors)
        #expect(try await proxy.tunnelled() == Self.payload.count)

        let heads = try proxy.heads()
        let head = try #require(heads.first)
        #expect(heads.count == 1)
        self.expectProper(head)
        #expect(head.values("Proxy-Authorization").isEmpty)
    }

    private func expectProper(_ head: ScriptedProxy.Head) {
        #expect(head.lines.first == "CONNECT origin.test:4433 HTTP/1.1")
        #expect(head.values("Host") == ["origin.test:4433"])
        #expect(head.values("User-Agent").count == 1)
        #expect(head.values("Proxy-Connection").map { $0.lowercased() } == ["keep-alive"])
        #expect(head.values("Content-Length").isEmpty)
        #expect(head.receives == 1, "the head came in \(head.receives) writes")
    }

    @Test(
        "a 407 is answered, on the same connection where it goes on",
        arguments: [
            ("407-length-keep-alive", true), ("407-empty-body", true), ("407-chunked", true),
            ("407-until-close", false), ("407-connection-close", false),
            ("407-http-1.0-proxy-connection", true),
            ("407-http-1.0", false), ("407-challenges-on-lines", true), ("407-challenges-comma-joined", true),
        ])
    func challenges(oddity: String, sameConnection: Bool) async throws {
        let proxy = try await ScriptedProxy(oddity)
        let result = try await CulvertCommand.run(
            ["connect", "origin.test:4433", "--proxy", proxy.url(credentials: "alice:secret@")],
            bytes: Self.payload)
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, Self.payload, result.errors)
        #expect(try await proxy.tunnelled() == Self.payload.count)

        let heads = try proxy.heads()
        try #require(heads.count == 2)
        #expect(heads[0].values("Proxy-Authorization").isEmpty, "credentials before a challenge")
        #expect(heads[1].values("Proxy-Authorization") == ["Basic YWxpY2U6c2VjcmV0"])
        for head in heads { self.expectProper(head) }
        #expect((heads[1].connection == heads[0].connection) == sameConnection)
    }

    @Test(
        "a refusal is exit code 4 and says what came",
        arguments: [
            ("403-with-body", ["403"]), ("502-until-close", ["502"]), ("503-chunked", ["503"]),
            ("redirect", ["302"]), ("101-to-connect", ["101"]), ("407-without-challenge", ["407"]),
            ("407-unknown-scheme", ["407"]), ("407-always", ["407"]), ("html-before-status", []),
            ("another-protocol", []), ("close-in-head", []), ("close-at-once", []), ("reset-in-head", []),
            ("endless-head", []), ("endless-line", []), ("endless-1xx", []),
        ] as [(String, [String])])
    func refuses(oddity: String, words: [String]) async throws {
        let proxy = try await ScriptedProxy(oddity)
        let result = try await CulvertCommand.run(
            ["connect", "origin.test:4433", "--proxy", proxy.url(credentials: "alice:secret-word@")],
            bytes: Self.payload, within: .seconds(20))
        #expect(result.status == 4, "\(result.errors)")
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("culvert connect: error:"), "\(result.errors)")
        // One error; what the proxy says may follow on an indented line.
        let lines = result.errors.split(separator: "\n")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("  ") }, "\(result.errors)")
        for word in words { #expect(result.errors.contains(word), "\(result.errors)") }
        #expect(!result.errors.contains("secret-word"))
        #expect(!result.errors.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })

        let heads = try proxy.heads()
        #expect(heads.count <= 2, "a refused client does not go on asking")
        if !oddity.contains("407-always") {
            #expect(
                heads.allSatisfy { $0.values("Proxy-Authorization").isEmpty }, "credentials nobody asked for")
        }
    }

    @Test(
        "a missing password is said to be missing, a wrong one to be wrong", arguments: ["", "alice:wrong@"])
    func password(credentials: String) async throws {
        let proxy = try await ScriptedProxy("407-length-keep-alive")
        let result = try await CulvertCommand.run(
            ["connect", "origin.test:4433", "--proxy", proxy.url(credentials: credentials)],
            bytes: Self.payload)
        #expect(result.status == 4)
        #expect(result.errors.contains("407"), "\(result.errors)")
        #expect(try proxy.heads().count == (credentials.isEmpty ? 1 : 2))
    }

    @Test(
        "a proxy that never finishes its answer is exit code 7",
        arguments: ["never-answers", "stops-in-head"])
    func silence(oddity: String) async throws {
        let proxy = try await ScriptedProxy(oddity)
        let result = try await CulvertCommand.run(
            ["connect", "origin.test:4433", "--proxy", proxy.url(), "--open-timeout", "1"],
            bytes: Self.payload, within: .seconds(20))
        #expect(result.status == 7, "\(result.errors)")
        #expect(result.errors.hasPrefix("culvert connect: error:"), "\(result.errors)")
    }

    @Test("a parent hears its own credentials, never the client's", .requires(.curl))
    func credentialsOfTheClient() async throws {
        let parent = try await ScriptedProxy("407-length-keep-alive")
        for users in [true, false] {
            let arguments = ["--upstream", parent.url(credentials: "alice:secret@")]
            let proxy =
                users
                ? try await CulvertProxyProcess.authenticating(arguments)
                : try await CulvertProxyProcess(arguments)
            let result = try await Command.run([
                "curl", "-sS", "--proxy", proxy.url, "--proxy-user", "bob:pass:with:colons", "--proxy-basic",
                "--proxytunnel", "--proxy-header", "X-Secret: 1", "--max-time", "2", "http://origin.test:80/",
            ])
            // The parent echoes the request: to curl that is an HTTP/0.9 answer or nonsense, and the tunnel was open.
            #expect(result.status == 1 || result.status == 8, "\(result.errors)")
        }
        let heads = try parent.heads()
        try #require(heads.count == 4)
        #expect(
            heads.map { $0.values("Proxy-Authorization") } == [
                [], ["Basic YWxpY2U6c2VjcmV0"], [], ["Basic YWxpY2U6c2VjcmV0"],
            ])
        #expect(heads.allSatisfy { $0.values("X-Secret").isEmpty })
    }

    @Test(
        "the proxy of culvert proxy may be as odd",
        arguments: ["several-1xx-first+early-bytes", "lf-only+early-bytes"])
    func asParent(oddity: String) async throws {
        let parent = try await ScriptedProxy(oddity)
        let proxy = try await CulvertProxyProcess(["--upstream", parent.url()])
        let result = try await CulvertCommand.run(
            ["connect", "origin.test:4433", "--proxy", proxy.url], bytes: Self.payload)
        #expect(result.status == 0, "\(result.errors)")
        expectSame(result.output, Array(ScriptedProxy.banner.utf8) + Self.payload, result.errors)
    }
}
