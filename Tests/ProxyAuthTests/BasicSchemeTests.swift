import Testing

@testable import ProxyAuth

@Suite("Basic")
struct BasicSchemeTests {
    private static func credentials(_ fieldValue: String) -> ProxyCredentials? {
        AuthorizationField(fieldValue).flatMap(BasicScheme.credentials)
    }

    @Test(
        "credentials survive the way there and back",
        arguments: [
            ("Aladdin", "open sesame"), ("u", ""), ("user", "with:colon"), ("müller", "pässwörd"),
            ("", "nameless"),
        ])
    func roundTrip(user: String, password: String) throws {
        let credentials = ProxyCredentials(user: user, password: Secret(password))
        let value = try #require(BasicScheme.authorization(for: credentials))
        #expect(Self.credentials(value) == credentials)
    }

    @Test("the example of RFC 7617")
    func rfcExample() {
        let credentials = ProxyCredentials(user: "Aladdin", password: "open sesame")
        #expect(BasicScheme.authorization(for: credentials) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    }

    @Test(
        "what Basic cannot carry is not sent",
        arguments: [("a:b", "x"), ("a", "new\nline"), ("nul\u{0}", "x"), ("a", "\u{7F}")])
    func unsendable(user: String, password: String) {
        #expect(BasicScheme.authorization(for: .init(user: user, password: Secret(password))) == nil)
    }

    @Test(
        "malformed authorizations are refused",
        arguments: [
            "", "Basic", "Basic ", "Bearer QWxhZGRpbjpvcGVu", "Basic QWxhZGRpbg==", "Basic Q!==", "Basic QQ=",
            "Basic /w==",
        ])
    func malformed(value: String) {
        #expect(Self.credentials(value) == nil)
    }

    @Test("the scheme's case does not matter")
    func schemeCase() {
        #expect(Self.credentials("bAsIc YTpi")?.user == "a")
    }
}
