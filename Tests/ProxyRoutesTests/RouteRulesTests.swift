import HTTPWire
import Testing

@testable import ProxyRoutes

@Suite("Route rules")
struct RouteRulesTests {
    @Test(
        "the first rule that matches decides",
        arguments: [
            ("www.corp.example:443", ["direct"]),
            ("corp.example:443", ["http://proxy:8080", "http://backup:8080"]),
            ("WWW.Corp.Example.:443", ["direct"]),
            ("api.partner.example:443", ["http://partner:1 -> socks5h://inner:1080"]),
            ("partner.example:443", ["http://partner:1 -> socks5h://inner:1080"]),
            ("git.example:22", ["socks5h://ssh:1080", "direct"]),
            ("git.example:443", ["http://proxy:8080", "http://backup:8080"]),
            ("10.1.2.3:443", ["direct"]),
            ("[::ffff:10.1.2.3]:443", ["direct"]),
            ("11.1.2.3:443", ["http://proxy:8080", "http://backup:8080"]),
            ("[2001:db8::5]:443", ["direct"]),
            ("[2001:db8::5]:80", ["http://proxy:8080", "http://backup:8080"]),
            ("192.0.2.7:8443", ["https://seven:443"]),
            ("anything.example:25", ["http://mail:25"]),
        ] as [(String, [String])])
    func routes(target: String, expected: [String]) throws {
        let rules = try RouteRules(
            """
            *.corp.example direct; .partner.example http://partner:1 -> socks5h://inner
            git.example:22 socks5h://ssh:1080, DIRECT
            10.0.0.0/8   direct
            [2001:db8::/32]:443 direct; 192.0.2.7 https://seven
            *:25 http://mail:25
            * http://proxy:8080, http://backup:8080
            """)
        #expect(rules.routes(to: try Authority(target)).map(\.description) == expected)
    }

    @Test(
        "what cannot be used is an error that says where, and shows no password",
        arguments: [
            ("*.corp.example direct", "the last rule must be for every target"),
            ("", "the last rule must be for every target"),
            ("*:443 http://a:1", "the last rule must be for every target"),
            ("* direct; a.example http://a:1", "a.example: the rule before it is for every target"),
            ("a.example; * direct", "rule 1: expected a pattern and its routes"),
            ("exa mple direct; * direct", "exa: "),
            ("a..b direct; * direct", "rule 1: its pattern can match nothing"),
            ("a.example:0 direct; * direct", "rule 1: its pattern can match nothing"),
            ("a.example:99999 direct; * direct", "rule 1: its pattern can match nothing"),
            ("10.0.0.0/33 direct; * direct", "rule 1: its pattern can match nothing"),
            ("* gopher://u:secretword@a:1", "*: the scheme \"gopher\" is not supported"),
            ("* http://u:secretword@a:1/path", "*: a proxy URL has no path"),
            ("* http://a:1,, direct", "*: the host is missing"),
            ("* http://a:1 -> direct", "*: direct is a way of its own"),
        ])
    func errors(text: String, expected: String) {
        let error = #expect(throws: RouteRulesError.self) { try RouteRules(text) }
        #expect("\(error!)".hasPrefix(expected), "\(error!)")
        #expect(!"\(error!)".contains("secretword"))
    }

    @Test("a proxy without a port is told of")
    func assumptions() throws {
        let rules = try RouteRules("* http://proxy")
        #expect(rules.assumptions == ["*: no port given, 80 assumed"])
    }
}

@Suite("Bad marks")
struct BadMarksTests {
    private let now = ContinuousClock.now
    private let routes: [Route]

    init() throws {
        self.routes = try ["http://a:1", "http://b:2", "http://c:3"].map { Route([try ProxyHop($0)]) }
    }

    private func names(_ routes: [Route]) -> [String] { routes.map(\.description) }

    @Test("a marked proxy is tried last, until five minutes are over")
    func order() throws {
        var marks = BadMarks()
        marks.mark(try ProxyHop("http://user:secret@a:1"), at: self.now)
        let all = self.routes + [Route.direct]
        #expect(
            self.names(marks.order(all, at: self.now.advanced(by: .seconds(299))))
                == ["http://b:2", "http://c:3", "direct", "http://a:1"])
        #expect(self.names(marks.order(all, at: self.now.advanced(by: .seconds(300)))) == self.names(all))
        #expect(marks.remaining(at: self.now.advanced(by: .seconds(100))) == ["http://a:1": .seconds(200)])
    }

    @Test("a proxy that was reached has no mark")
    func clear() {
        var marks = BadMarks()
        for route in self.routes { marks.mark(route.hops[0], at: self.now) }
        #expect(self.names(marks.order(self.routes, at: self.now)) == self.names(self.routes))
        marks.clear(self.routes[1].hops[0])
        #expect(
            self.names(marks.order(self.routes, at: self.now)) == ["http://b:2", "http://a:1", "http://c:3"])
    }
}
