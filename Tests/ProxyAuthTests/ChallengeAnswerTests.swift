import Testing

@testable import ProxyAuth

@Suite("Answers to challenges")
struct ChallengeAnswerTests {
    let alice = ProxyCredentials(user: "alice", password: "secret")

    @Test("Basic is answered with the credentials of the hop")
    func basic() {
        let answer = ChallengeAnswer.to(
            Challenge.parse(["NTLM", "Basic realm=\"x\""]), credentials: self.alice, alreadyAnswered: false)
        #expect(answer == .authorize("Basic YWxpY2U6c2VjcmV0"))
    }

    @Test("a second challenge means that the password is wrong")
    func rejected() {
        let answer = ChallengeAnswer.to(
            Challenge.parse(["Basic realm=\"x\""]), credentials: self.alice, alreadyAnswered: true)
        #expect(answer == .credentialsRejected)
    }

    @Test("without credentials nothing is sent")
    func missing() {
        let answer = ChallengeAnswer.to(
            Challenge.parse(["Basic realm=\"x\""]), credentials: nil, alreadyAnswered: false)
        #expect(answer == .credentialsMissing)
    }

    @Test("a scheme that is not spoken is named")
    func unsupported() {
        let answer = ChallengeAnswer.to(
            Challenge.parse(["Negotiate", "NTLM"]), credentials: self.alice, alreadyAnswered: false)
        #expect(answer == .schemesUnsupported(["negotiate", "ntlm"]))
    }

    @Test("a user name with a colon cannot be sent by Basic")
    func unsendable() {
        let answer = ChallengeAnswer.to(
            Challenge.parse(["Basic realm=\"x\""]), credentials: .init(user: "a:b", password: ""),
            alreadyAnswered: false)
        #expect(answer == .credentialsUnsendable)
    }
}
