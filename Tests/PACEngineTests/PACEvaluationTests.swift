import HTTPWire
import ProxyRoutes
import Testing

@testable import PACEngine

private struct Nowhere: PACFunction.World {
    func addresses(of name: String) -> [IPAddress] { name == "localhost" ? [.v4(0x7F00_0001)] : [] }
    var ownAddresses: [IPAddress] { [] }
    func now(isGMT: Bool) -> PACMoment {
        PACMoment(year: 2026, month: 1, day: 1, weekday: 4, hour: 0, minute: 0, second: 0)
    }
    func alert(_ message: String) {}
}

@Suite("PAC scripts in the engine")
struct PACEvaluationTests {
    private func evaluate(_ script: String, memoryLimit: Int = 32 << 20) -> PACAnswer {
        PACEvaluation.run(
            PACQuestion(
                script: script, url: "https://www.example.com/", host: "www.example.com",
                memoryLimit: memoryLimit,
                seconds: 10),
            in: Nowhere())
    }

    @Test(
        "a script decides with the functions that browsers have",
        arguments: [
            ("return url + ' ' + host;", "https://www.example.com/ www.example.com"),
            ("return shExpMatch(host, '*.example.com') ? 'PROXY a:1' : 'DIRECT';", "PROXY a:1"),
            ("return isPlainHostName(host) + '';", "false"),
            ("return dnsResolve('localhost');", "127.0.0.1"),
            ("return String(dnsResolve('nowhere'));", "null"),
            ("return String(dnsDomainLevels(host) + 1);", "3"),
            ("return String(timeRange(0, 0, 0, 30));", "true"),
            ("return String(dateRange(1, 'JAN', 2026, 1, 'JAN', 2026));", "true"),
            ("alert('x'); return typeof alert('y');", "object"),
            ("return sortIpAddressList('10.0.0.2;10.0.0.1');", "10.0.0.1;10.0.0.2"),
            ("return isInNet(dnsResolve('localhost'), '127.0.0.0', '255.0.0.0') ? 'a' : 'b';", "a"),
            ("return /^www\\./.test(host) ? 'yes' : 'no';", "yes"),
            ("return 'PROXY ' + ['a:1', 'b:2'].join('; PROXY ');", "PROXY a:1; PROXY b:2"),
            ("return 'ä';", "ä"),
        ])
    func functions(body: String, expected: String) {
        let answer = self.evaluate("function FindProxyForURL(url, host) { \(body) }")
        #expect(answer.result == expected, "\(answer)")
    }

    @Test(
        "an error comes with its line",
        arguments: [
            ("function FindProxyForURL(url, host) {\n  return 'DIRECT'\n", "SyntaxError", 3),
            ("\n\nvar x = = 1;", "SyntaxError", 3),
            ("function FindProxyForURL(url, host) {\n\n  return nowhere;\n}", "ReferenceError", 3),
            ("function FindProxyForURL(url, host) {\n  throw new Error('mine');\n}", "Error: mine", 2),
            ("throw 'text'", "text", nil),
            ("var x;", "the script has no function FindProxyForURL", nil),
            ("var FindProxyForURL = 1;", "the script has no function FindProxyForURL", nil),
            ("function FindProxyForURL() { return 1; }", "FindProxyForURL returned no text", nil),
            ("function FindProxyForURL() { }", "FindProxyForURL returned no text", nil),
            (
                "function FindProxyForURL() { return 1 + FindProxyForURL(); }",
                "RangeError", 1
            ),
        ] as [(String, String, Int?)])
    func errors(script: String, expected: String, line: Int?) {
        let answer = self.evaluate(script)
        #expect(answer.result == nil)
        #expect(answer.error?.hasPrefix(expected) == true, "\(answer)")
        #expect(answer.line == line, "\(answer)")
    }

    @Test("what takes all memory is an error within the limit")
    func memory() {
        let answer = self.evaluate(
            "function FindProxyForURL() { var s = 'x'; while (true) s += s + s; }", memoryLimit: 4 << 20)
        #expect(answer.result == nil)
        #expect(
            answer.error?.contains("alloc") == true || answer.error?.contains("Range") == true, "\(answer)")
    }

    @Test("an object that cannot be turned into text is an error, and no crash")
    func hostileArgument() {
        let answer = self.evaluate(
            "function FindProxyForURL() { return dnsResolve({toString: function () { throw new Error('no'); }}); }"
        )
        #expect(answer.error?.hasPrefix("Error: no") == true, "\(answer)")
    }

    @Test("a limit too small for the engine is told")
    func tiny() {
        #expect(self.evaluate("", memoryLimit: 1000).error == "the memory limit is too small for the engine")
    }
}
