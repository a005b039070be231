import Testing

@testable import ProxyAuth

@Suite("Secrets")
struct SecretTests {
    @Test("no way of printing shows the text")
    func redaction() {
        let secret = Secret("hunter2")
        let credentials = ProxyCredentials(user: "alice", password: secret)
        var dumped = ""
        dump(credentials, to: &dumped)
        let prints = [
            "\(secret)", secret.debugDescription, String(reflecting: secret), "\(credentials)",
            String(reflecting: credentials), "\([secret])", dumped,
        ]
        for print in prints { #expect(!print.contains("hunter2")) }
        #expect("\(credentials)" == "alice:<redacted>")
        #expect(secret.reveal() == "hunter2")
    }

    @Test(
        "constant-time comparison agrees with the plain one",
        arguments: ["", "a", "ab", "ba", "abc", "\u{0}", "a\u{0}"])
    func constantTime(left: String) {
        for right in ["", "a", "ab", "ba", "abc", "\u{0}", "a\u{0}"] {
            #expect(ConstantTime.equal(left.utf8, right.utf8) == (left == right))
        }
    }
}
