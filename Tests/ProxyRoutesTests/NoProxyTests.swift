import HTTPWire
import Testing

@testable import ProxyRoutes

@Suite("NO_PROXY")
struct NoProxyTests {
    @Test(
        "which targets go direct",
        arguments: [
            ("example.com", "www.example.com:443", true),
            ("example.com", "example.com:443", true),
            ("example.com", "notexample.com:443", false),
            (".example.com", "example.com:443", true),
            (".example.com", "www.example.com:443", true),
            ("*.example.com", "www.example.com:443", true),
            ("EXAMPLE.com", "www.Example.COM:443", true),
            ("example.com.", "www.example.com:443", true),
            ("example.com", "www.example.com.:443", true),
            ("example.com:8080", "example.com:8080", true),
            ("example.com:80", "example.com:80", true),
            ("example.com:80", "example.com:8080", false),
            ("10.0.0.0/8", "10.1.2.3:443", true),
            ("10.0.0.0/8", "11.1.2.3:443", false),
            ("10.0.0.0/8", "ten.example:443", false),
            ("10.1.2.3:8080", "10.1.2.3:8080", true),
            ("10.1.2.3:8080", "10.1.2.3:8081", false),
            ("::1", "[::1]:443", true),
            ("[::1]", "[::1]:443", true),
            ("[::1]:443", "[::1]:443", true),
            ("2001:db8::/32", "[2001:db8::5]:443", true),
            ("2001:db8::/32", "[2001:db9::5]:443", false),
            ("2001:DB8:0::5", "[2001:db8::5]:443", true),
            ("a.test b.test", "b.test:443", true),
            ("a.test,\tb.test", "b.test:443", true),
            ("0.0.0.0/0", "10.1.2.3:443", true),
            ("a.test,*", "anything.example:443", true),
            ("", "localhost:443", true),
            ("", "127.0.0.1:443", true),
            ("", "[::1]:443", true),
            ("", "example.com:443", false),
            ("<-loopback>", "localhost:443", false),
            ("<-loopback>", "127.0.0.1:443", false),
            ("a.test,<-loopback>", "[::1]:443", false),
            ("10.", "10.1.2.3:443", false),
            ("10.1.*", "10.1.2.3:443", false),
            ("com", "example.com:443", true),
        ])
    func table(list: String, target: String, isDirect: Bool) throws {
        #expect(try NoProxy(list).matches(Authority(target)) == isDirect)
    }

    @Test(
        "an entry that cannot match what it seems to mean is told",
        arguments: ["10.", "10.1.*", "1.2.3.4/99"])
    func warnings(list: String) {
        let noProxy = NoProxy(list)
        #expect(noProxy.warnings.count == 1)
        #expect(noProxy.warnings.first?.contains(list) == true)
    }

    @Test("a list of good entries has no warnings")
    func noWarnings() {
        #expect(
            NoProxy("example.com, .a.test, *.b.test, 10.0.0.0/8, ::1, [::1]:80, *, <-loopback>").warnings
                .isEmpty)
    }
}
