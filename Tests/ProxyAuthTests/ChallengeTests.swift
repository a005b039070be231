import Testing

@testable import ProxyAuth

@Suite("Challenges of a 407")
struct ChallengeTests {
    @Test(
        "schemes are found however proxies write them",
        arguments: [
            (["Basic realm=\"Squid proxy\""], ["basic"]),
            (["BASIC realm=x"], ["basic"]),
            (["Negotiate", "NTLM", "Basic realm=\"a\""], ["negotiate", "ntlm", "basic"]),
            (["Negotiate, NTLM, Basic realm=\"a, b\""], ["negotiate", "ntlm", "basic"]),
            (
                ["Digest realm=\"r\", nonce=\"n=\", qop=\"auth,auth-int\", Basic realm=\"b\""],
                ["digest", "basic"]
            ),
            (["Basic realm = \"spaced\" , charset = \"UTF-8\""], ["basic"]),
            (["NTLM TlRMTVNTUAACAAAA=="], ["ntlm"]),
            ([""], []),
            ([", ,"], []),
            (["Basic"], ["basic"]),
            (["\"quoted\" Basic realm=\"after junk\""], ["quoted", "basic"]),
        ])
    func schemes(values: [String], expected: [String]) {
        #expect(Challenge.parse(values).map(\.scheme) == expected)
    }

    @Test("a quoted comma stays in its parameter, and escapes are undone")
    func quotedParameters() {
        let challenges = Challenge.parse([#"Digest realm="a \"b\", c", NONCE=abc, qop="auth,auth-int""#])
        #expect(challenges.count == 1)
        #expect(challenges.first?.parameter("realm") == #"a "b", c"#)
        #expect(challenges.first?.parameter("nonce") == "abc")
        #expect(challenges.first?.parameter("qop") == "auth,auth-int")
    }

    @Test("a token68 is kept whole")
    func token() {
        let challenge = Challenge.parse(["Negotiate oRQwEqADCgEBoQsGCSqGSIb3EgECAg=="]).first
        #expect(challenge?.token == "oRQwEqADCgEBoQsGCSqGSIb3EgECAg==")
        #expect(challenge?.parameters.isEmpty == true)
    }

    @Test("an unterminated quote ends with its line")
    func unterminated() {
        #expect(Challenge.parse(["Basic realm=\"open"]).first?.parameter("realm") == "open")
    }

    @Test("every prefix of a challenge parses without a trap")
    func everyPrefix() {
        let text = #"Digest realm="a\"", nonce="n", opaque=, Basic realm="x", NTLM AAAA=="#
        for length in 0...text.count {
            #expect(Challenge.parse([String(text.prefix(length))]).count <= 4)
        }
    }
}
