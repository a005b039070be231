import HTTPWire
import Testing

@testable import ProxyAuth

@Suite("The answers to a proxy's challenges")
struct ProxyAuthenticatorTests {
    private static let alice = ProxyCredentials(user: "alice", password: "secret")
    private static let request = ProxyAuthenticator.Request(method: "CONNECT", target: "example.com:443")
    private static let basic = "Basic YWxpY2U6c2VjcmV0"

    private static func authenticator(
        _ credentials: ProxyCredentials? = alice,
        _ schemes: [AuthenticationScheme] = [.negotiate, .digest, .ntlm, .bearer, .basic]
    ) -> ProxyAuthenticator {
        ProxyAuthenticator(
            credentials: credentials, schemes: schemes,
            context: .init(
                host: "proxy", random: { [UInt8](repeating: 7, count: $0) }, fileTime: { 0 }))
    }

    private static func step(
        _ authenticator: inout ProxyAuthenticator, _ values: String..., keeps: Bool = true
    ) -> ProxyAuthenticator.Step {
        authenticator.challenged(Challenge.parse(values), request: Self.request, keepsConnection: keeps)
    }

    private static func scheme(_ step: ProxyAuthenticator.Step) -> String {
        switch step {
        case .authorize(let value, _): String(value.prefix { $0 != " " })
        case .negotiate: "ask"
        case .fail(let failure): "\(failure)"
        }
    }

    /// A well-formed second message of NTLM.
    private static var ntlmChallenge: String {
        let bytes =
            NTLMNegotiateMessage.signature + LittleEndian.bytes(UInt32(2)) + [UInt8](repeating: 0, count: 8)
            + LittleEndian.bytes(NTLMFlags.offered.rawValue) + [UInt8](repeating: 1, count: 8)
        return "NTLM " + Base64.encode(bytes)
    }

    @Test(
        "the strongest scheme that is offered and allowed is spoken",
        arguments: [
            (["Basic realm=x", "Digest realm=r, nonce=n", "NTLM", "Negotiate"], "ask"),
            (["Basic realm=x", "NTLM, Digest realm=r, nonce=n"], "Digest"),
            (["Basic realm=x", "NTLM"], "NTLM"), (["Basic realm=x"], "Basic"),
            (["Digest realm=r, nonce=n, algorithm=SHA-1", "Basic realm=x"], "Basic"),
            (["Unknown", "Basic realm=x"], "Basic"),
        ])
    func order(challenges: [String], scheme: String) {
        var authenticator = Self.authenticator()
        let step = authenticator.challenged(
            Challenge.parse(challenges), request: Self.request, keepsConnection: true)
        #expect(Self.scheme(step) == scheme)
    }

    @Test("what is not allowed is not spoken, whatever the proxy offers")
    func allowed() {
        var authenticator = Self.authenticator(Self.alice, [.digest])
        #expect(
            Self.step(&authenticator, "Basic realm=x", "NTLM")
                == .fail(.schemesUnsupported(["basic", "ntlm"])))
    }

    @Test("a password that was rejected is not tried again, by no scheme")
    func rejected() {
        for challenge in ["Basic realm=x", "Digest realm=r, nonce=n, qop=auth"] {
            var authenticator = Self.authenticator()
            _ = Self.step(&authenticator, challenge)
            #expect(Self.step(&authenticator, challenge, "Basic realm=x") == .fail(.rejected))
        }
    }

    @Test("without credentials nothing is sent; what a scheme cannot carry is told")
    func missing() {
        var nobody = Self.authenticator(nil)
        #expect(Self.step(&nobody, "Basic realm=x") == .fail(.credentialsMissing(nil)))
        var colon = Self.authenticator(.init(user: "a:b", password: ""))
        #expect(Self.step(&colon, "Basic realm=x") == .fail(.credentialsUnsendable))
    }

    @Test("a stale nonce is answered once with the new one; twice is a loop")
    func stale() {
        var authenticator = Self.authenticator()
        _ = Self.step(&authenticator, "Digest realm=r, nonce=n1, qop=auth")
        guard
            case .authorize(let value, .any) = Self.step(
                &authenticator, "Digest realm=r, nonce=n2, qop=auth, stale=TRUE")
        else {
            Issue.record("not answered")
            return
        }
        #expect(Challenge.parse([value]).first?.parameter("nonce") == "n2")
        #expect(
            Self.step(&authenticator, "Digest realm=r, nonce=n3, qop=auth, stale=true") == .fail(.rejected))
    }

    @Test("NTLM: offer, challenge and answer, on one connection")
    func ntlm() {
        var authenticator = Self.authenticator()
        #expect(Self.step(&authenticator, "NTLM") == .authorize(ProxyAuthMemory.ntlmOffer, on: .any))
        guard case .authorize(let value, .same) = Self.step(&authenticator, Self.ntlmChallenge) else {
            Issue.record("not answered")
            return
        }
        #expect(value.hasPrefix("NTLM TlRMTVNTUAADAAAA"))
        #expect(Self.step(&authenticator, "NTLM") == .fail(.rejected))
        #expect(authenticator.memory == .ntlm)
    }

    @Test("NTLM that loses its connection, or gets nonsense, ends with the reason")
    func ntlmBroken() {
        var closed = Self.authenticator()
        _ = Self.step(&closed, "NTLM")
        #expect(Self.step(&closed, Self.ntlmChallenge, keeps: false) == .fail(.connectionNotKept))
        var nonsense = Self.authenticator()
        _ = Self.step(&nonsense, "NTLM")
        #expect(Self.step(&nonsense, "NTLM AAAA") == .fail(.malformedChallenge(.ntlm)))
    }

    @Test("an offer of NTLM that is not taken up gives way to Basic, on a new connection")
    func ntlmIgnored() {
        var authenticator = Self.authenticator()
        _ = Self.step(&authenticator, "NTLM", "Basic realm=x")
        #expect(Self.step(&authenticator, "NTLM", "Basic realm=x") == .authorize(Self.basic, on: .new))
    }

    @Test("a hash instead of the password serves NTLM alone; a token serves Bearer alone")
    func otherCredentials() throws {
        let hash = try #require(
            ProxyCredentials.ntlm(user: "alice", ntHash: "0123456789abcdef0123456789ABCDEF"))
        var hashed = Self.authenticator(hash)
        #expect(Self.scheme(Self.step(&hashed, "Digest realm=r, nonce=n", "Basic realm=x", "NTLM")) == "NTLM")
        var other = Self.authenticator(hash)
        #expect(Self.step(&other, "Basic realm=x") == .fail(.schemesUnsupported(["basic"])))
        var token = Self.authenticator(.bearer("abc.DEF"))
        #expect(
            Self.step(&token, "Basic realm=x", "Bearer realm=x") == .authorize("Bearer abc.DEF", on: .any))
        var broken = Self.authenticator(.bearer("a b"))
        #expect(Self.step(&broken, "Bearer realm=x") == .fail(.credentialsUnsendable))
    }

    @Test("Negotiate: tokens go back and forth on one connection")
    func negotiate() {
        var authenticator = Self.authenticator(nil)
        #expect(Self.step(&authenticator, "Negotiate") == .negotiate(input: nil, on: .any))
        #expect(authenticator.negotiated(.success([1, 2])) == .authorize("Negotiate AQI=", on: .any))
        #expect(Self.step(&authenticator, "Negotiate AwQ=") == .negotiate(input: [3, 4], on: .same))
        #expect(authenticator.negotiated(.success([5])) == .authorize("Negotiate BQ==", on: .same))
        #expect(authenticator.memory == .negotiate)
    }

    @Test("without a ticket the next scheme is spoken, on the same connection: nothing was sent on it")
    func noTicket() {
        var authenticator = Self.authenticator()
        _ = Self.step(&authenticator, "Negotiate", "Basic realm=x")
        #expect(
            authenticator.negotiated(.failure(NegotiateFailure("no ticket")))
                == .authorize(Self.basic, on: .any))
        var alone = Self.authenticator()
        _ = Self.step(&alone, "Negotiate")
        #expect(
            alone.negotiated(.failure(NegotiateFailure("no ticket")))
                == .fail(.negotiateUnavailable("no ticket")))
        var nobody = Self.authenticator(nil)
        _ = Self.step(&nobody, "Negotiate", "Basic realm=x")
        #expect(
            nobody.negotiated(.failure(NegotiateFailure("no ticket")))
                == .fail(.credentialsMissing("no ticket")))
    }

    @Test("a refused ticket gives way to the password, on a new connection")
    func refusedTicket() {
        var authenticator = Self.authenticator()
        _ = Self.step(&authenticator, "Negotiate", "Basic realm=x")
        _ = authenticator.negotiated(.success([1]))
        #expect(Self.step(&authenticator, "Negotiate", "Basic realm=x") == .authorize(Self.basic, on: .new))
    }

    @Test("a proxy that never ends is left")
    func endless() {
        var authenticator = Self.authenticator(nil)
        var rounds = 0
        _ = Self.step(&authenticator, "Negotiate")
        while case .authorize = authenticator.negotiated(.success([1])), rounds < 100 {
            rounds += 1
            if case .fail = Self.step(&authenticator, "Negotiate AQ==") { break }
        }
        #expect(rounds < 20)
    }

    @Test("what worked is said unasked on the next connection; Digest counts on")
    func memory() throws {
        var authenticator = Self.authenticator()
        _ = Self.step(&authenticator, "Digest realm=r, nonce=n, qop=auth")
        var memory = try #require(authenticator.memory)
        let valueValue = memory.authorization(for: Self.request, credentials: Self.alice)
        let value = try #require(valueValue)
        #expect(Challenge.parse([value]).first?.parameter("nc") == "00000002")
        // A nonce that was forgotten is no rejected password.
        var next = Self.authenticator()
        next.resumed(memory)
        #expect(Self.scheme(Self.step(&next, "Digest realm=r, nonce=n2, qop=auth")) == "Digest")
        var basic = Self.authenticator()
        _ = Self.step(&basic, "Basic realm=x")
        #expect(basic.memory == .fixed(Self.basic))
        var again = Self.authenticator()
        again.resumed(.fixed(Self.basic))
        #expect(Self.step(&again, "Basic realm=x") == .fail(.rejected))
    }

    @Test("a certificate's own hash binds the channel, never one weaker than SHA-256")
    func channelBinding() {
        let sha384: [UInt8] = [0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03]
        let certificate: [UInt8] = [0x30, 0x0E, 0x30, 0x00] + sha384
        #expect(CertificateSignature.hash(certificate) == .sha384)
        #expect(CertificateSignature.hash([0x30, 0x02, 0x30, 0x00]) == .sha256)
        for count in 0..<certificate.count {
            #expect(CertificateSignature.hash(Array(certificate.prefix(count))) == .sha256)
        }
        let binding = ChannelBinding(certificate: certificate)
        #expect(binding.applicationData.count == 21 + 48)
        #expect(binding.ntlmHash.count == 16)
    }
}
