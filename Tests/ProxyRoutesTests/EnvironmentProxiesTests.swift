import HTTPWire
import Testing

@testable import ProxyRoutes

@Suite("Proxies of the environment")
struct EnvironmentProxiesTests {
    private func route(
        _ environment: [String: String],
        _ scheme: EnvironmentProxies.TargetScheme,
        target: String = "example.com:443"
    ) throws -> String {
        try EnvironmentProxies(environment).route(to: Authority(target), scheme: scheme).route.description
    }

    @Test(
        "the most specific variable decides",
        arguments: [
            (["https_proxy": "http://p:1"], .wss, "http://p:1"),
            (["http_proxy": "http://p:1"], .ws, "http://p:1"),
            (["http_proxy": "http://p:1"], .wss, "direct"),
            (["https_proxy": "http://p:1"], .ws, "direct"),
            (["all_proxy": "http://p:1"], .wss, "http://p:1"),
            (["all_proxy": "http://p:1", "https_proxy": "http://q:2"], .wss, "http://q:2"),
            (["wss_proxy": "http://p:1", "https_proxy": "http://q:2"], .wss, "http://p:1"),
            (["ws_proxy": "http://p:1", "http_proxy": "http://q:2"], .ws, "http://p:1"),
            (["HTTPS_PROXY": "http://p:1"], .wss, "http://p:1"),
            (["https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:2"], .wss, "http://low:1"),
            (["https_proxy": "", "HTTPS_PROXY": "http://up:2"], .wss, "direct"),
            (["https_proxy": "", "all_proxy": "http://p:1"], .wss, "direct"),
            (["HTTP_PROXY": "http://p:1"], .ws, "http://p:1"),
            (["HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"], .ws, "direct"),
            (["http_proxy": "http://p:1", "REQUEST_METHOD": "GET"], .ws, "http://p:1"),
            (["https_proxy": "http://p:1", "no_proxy": "example.com"], .wss, "direct"),
            (["https_proxy": "http://p:1", "NO_PROXY": "example.com"], .https, "direct"),
            (["https_proxy": "http://p:1", "no_proxy": "other.example"], .https, "http://p:1"),
            ([:], .https, "direct"),
        ] as [([String: String], EnvironmentProxies.TargetScheme, String)])
    func variables(environment: [String: String], scheme: EnvironmentProxies.TargetScheme, expected: String)
        throws
    {
        #expect(try self.route(environment, scheme) == expected)
    }

    @Test("httpoxy is told of")
    func httpoxy() {
        let proxies = EnvironmentProxies(["HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"])
        #expect(proxies.warnings.count == 1)
        #expect(proxies.warnings.first?.contains("REQUEST_METHOD") == true)
    }

    @Test(
        "an unusable value is an error, never silently direct",
        arguments: ["socks9://p", "http://", "http://a b:1"])
    func unusable(value: String) {
        let error = #expect(throws: EnvironmentProxyError.self) {
            try self.route(["https_proxy": value], .https)
        }
        #expect(error?.variable == "https_proxy")
    }

    @Test("what the value leaves out is assumed and told")
    func assumptions() throws {
        let result = try EnvironmentProxies(["https_proxy": "proxy.example"])
            .route(to: Authority("example.com:443"), scheme: .https)
        #expect(result.route.description == "http://proxy.example:80")
        #expect(result.assumptions.count == 2)
    }
}
