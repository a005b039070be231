import Testing

@testable import CulvertTunnel

@Suite("Whom a certificate is for")
struct CertificateNamesTests {
    @Test(
        "a name is found whole, or below a wildcard of one label",
        arguments: [
            ("example.com", "example.com", true), ("Example.COM", "example.com.", true),
            ("example.com", "www.example.com", false), ("example.com", "notexample.com", false),
            ("*.example.com", "www.example.com", true), ("*.example.com", "example.com", false),
            ("*.example.com", "a.b.example.com", false), ("*.example.com", ".example.com", false),
            ("*.com", "example.com", false), ("*", "example", false),
            ("w*.example.com", "www.example.com", false),
            ("", "", false), ("127.0.0.1", "127.0.0.2", false),
        ])
    func matches(pattern: String, host: String, expected: Bool) {
        #expect(CertificateNames.matches(pattern: pattern, host: host) == expected)
    }
}
