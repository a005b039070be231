import Testing

@testable import HTTPWire

@Suite("Patterns for names")
struct NamePatternTests {
    @Test(
        "match",
        arguments: [
            ("example.com", "example.com"), ("EXAMPLE.com.", "example.com"), (".example.com", "example.com"),
            (".example.com", "a.b.example.com"), ("*.example.com", "a.b.example.com"), ("*", "anything.test"),
            ("api-*.example.com", "api-1.example.com"), ("*.*", "a.b"), ("a*", "ab"), ("*a*b*c", "xaxbxc"),
            ("bücher.example", "xn--bcher-kva.example"), ("*ab*ab", "xab-ab"),
            ("*.internal.*", "a.internal.b"),
        ])
    func match(pattern: String, name: String) throws {
        #expect(try #require(NamePattern(pattern)).matches(name))
    }

    @Test(
        "differ",
        arguments: [
            ("example.com", "www.example.com"), ("example.com", "notexample.com"),
            (".example.com", "notexample.com"), (".example.com", "example.com.evil.test"),
            ("*.example.com", "example.com"), ("*.example.com", "notexample.com"),
            ("*.example.com", ".example.com"),
            ("a*", "a"), ("api-*.example.com", "api-.example.com"), ("*ab*ab", "xab"), ("*a*b*c", "abc"),
            ("*.com", "com"), ("example.*", "example."),
        ])
    func differ(pattern: String, name: String) throws {
        #expect(try !#require(NamePattern(pattern)).matches(name))
    }

    @Test(
        "are refused",
        arguments: [
            "", ".", "10.0.0.1", "[::1]", "a b", "*.ex ample", "a..b*", "*\n", "user@*", "0177.0.0.1", "*/x",
        ])
    func refused(pattern: String) {
        #expect(NamePattern(pattern) == nil)
    }
}
