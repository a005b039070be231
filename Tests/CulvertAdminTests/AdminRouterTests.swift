import CulvertProxy
import CulvertWebSocket
import HTTPTypes
import Testing

@testable import CulvertAdmin

@Suite("Requests to the admin listener")
struct AdminRouterTests {
    private let router = AdminRouter(hosts: AdminHosts(["Status.Example"]))

    private func status(_ method: HTTPRequest.Method, _ path: String, host: String? = "127.0.0.1:9090") -> Int
    {
        var request = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
        if let host { request.headerFields[.host] = host }
        switch self.router.route(request) {
        case .answer(let answer): return answer.response.status.code
        case .health, .readiness, .metrics, .page, .json: return 0
        }
    }

    @Test(
        "a name that is not ours is refused, whatever else is right",
        arguments: [
            ("127.0.0.1:9090", 0), ("127.0.0.1", 0), ("[::1]:9090", 0), ("localhost:9090", 0),
            ("LOCALHOST", 0),
            ("192.0.2.1", 0), ("status.example:9090", 0), ("STATUS.EXAMPLE", 0),
            ("attacker.example:9090", 421), ("localhost.attacker.example", 421),
            ("127.0.0.1.attacker.example", 421),
            ("status.example.attacker.example", 421), ("", 421), ("a b", 421), ("127.1", 421),
            ("localhost, attacker.example", 421), ("user@localhost", 421),
        ])
    func hosts(host: String, status: Int) {
        for path in ["/", "/metrics", "/status.json"] {
            #expect(self.status(.get, path, host: host) == status, "\(path)")
        }
    }

    @Test("who sends no Host is no browser")
    func noHost() {
        #expect(self.status(.get, "/metrics", host: nil) == 0)
    }

    @Test("probes call a host as they like")
    func probes() {
        #expect(self.status(.get, "/healthz", host: "whatever.example") == 0)
        #expect(self.status(.head, "/readyz", host: "whatever.example") == 0)
    }

    @Test(
        "methods and paths",
        arguments: [
            (HTTPRequest.Method.get, "/metrics?x=1", 0), (.head, "/", 0), (.post, "/", 405),
            (.connect, "a:1", 405),
            (.get, "/nothing", 404), (.get, "//", 404), (.get, "", 404), (.get, "/../etc/passwd", 404),
            (.get, "http://127.0.0.1/metrics", 404), (.get, "/status.css", 200), (.get, "/status.js", 200),
            (.get, "/icon.svg", 200),
        ])
    func paths(method: HTTPRequest.Method, path: String, status: Int) {
        #expect(self.status(method, path) == status)
    }

    @Test("the WebSocket is for our own page, under our own names")
    func upgrade() {
        func isAccepted(_ path: String, host: String) -> Bool {
            var request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
            request.headerFields[.host] = host
            if case .accept = self.router.decide(request) { return true }
            return false
        }
        #expect(isAccepted("/events", host: "127.0.0.1:9090"))
        #expect(!isAccepted("/events", host: "attacker.example:9090"))
        #expect(!isAccepted("/", host: "127.0.0.1:9090"))
    }

    @Test("every answer forbids what a page could be made to do")
    func fields() {
        let fields = AdminAnswer.notFound.response.headerFields
        #expect(fields[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        #expect(fields[.contentSecurityPolicy]?.contains("unsafe") == false)
        #expect(fields[.xContentTypeOptions] == "nosniff")
        #expect(fields[.cacheControl] == "no-store")
    }

    @Test(
        "ready is only who accepts and means to go on",
        arguments: [(ProxyState.starting, 503), (.serving, 200), (.draining, 503), (.stopped, 503)])
    func readiness(state: ProxyState, status: Int) {
        #expect(AdminAnswer.readiness(state).response.status.code == status)
    }
}
