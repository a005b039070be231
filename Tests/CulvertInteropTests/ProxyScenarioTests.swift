import Foundation
import HTTPWire
import TestSupport
import Testing

@testable import CulvertInterop

@Suite("scenarios of libcurl with the proxy", .timeLimit(.minutes(2)))
struct ProxyScenarioTests {
    /// A scenario with one request.
    private static func scenario(_ request: String, _ more: String = "") -> String {
        #"[{"name": "x", "title": "X", \#(more) "requests": [\#(request)]}]"#
    }

    private static func scenarios(_ text: String) throws -> [ProxyScenario] {
        try JSONDecoder().decode([ProxyScenario].self, from: Data(text.utf8))
    }

    private static func problem(_ text: String) -> String? {
        do {
            _ = try Self.scenarios(text)
            return nil
        } catch {
            return (error as? DecodingError)?.placeAndReason ?? "\(error)"
        }
    }

    /// Runs a scenario against a server that is proxy and origin at once.
    private func run(
        _ request: String, _ more: String = "", server: CurlHTTPServer = CurlHTTPServer(),
        user: String? = nil
    ) async throws -> Verdict {
        let scenario = try #require(try Self.scenarios(Self.scenario(request, more)).first)
        return try await withTCPServer(server.serve) { authority in
            let environment = ProxyScenarioEnvironment(
                http: "http://origin.invalid", https: "https://origin.invalid", ws: "ws://origin.invalid",
                wss: "wss://origin.invalid", authority: "/nonexistent", refusedPort: 1, features: [.forward]
            ) { _ in
                ProxyAddress(
                    .http, host: "127.0.0.1", port: Int(authority.port), user: user,
                    password: user.map { _ in "secret" })
            }
            return await ProxyScenarioRunner.run(scenario, environment: environment)
        }
    }

    @Test("those that are shipped are well-formed, and cover every feature")
    func shipped() throws {
        let file = try ResourceFolder.find().appendingPathComponent("scenarios.json")
        let scenarios = try Scenarios.load(file).proxyScenarios
        #expect(scenarios.count > 35)
        let required = Set(scenarios.flatMap(\.requirements))
        for feature in ProxyScenario.ProxyFeature.allCases {
            #expect(required.contains(.proxy(feature)), "\(feature)")
        }
    }

    @Test(
        "what is wrong in the file is told with its place",
        arguments: [
            (
                #"{"url": "{http}/", "expect": {}, "methd": "GET"}"#,
                "[0].requests[0].methd: unknown key; known are chunked, count, "
            ),
            (
                #"{"url": "{http}/", "expect": {}, "options": {"tunel": true}}"#,
                "[0].requests[0].options.tunel: unknown key; known are authentication, "
            ),
            (#"{"expect": {}}"#, "[0].requests[0].url: missing"),
            (#"{"url": "{http}/"}"#, "[0].requests[0].expect: missing"),
            (#"{"url": "{http}/", "expect": {}, "count": 0}"#, "[0].requests[0].count: not in 1...200"),
            ("", "[0].requests: a scenario without requests shows nothing"),
        ])
    func places(request: String, problem: String) {
        #expect(Self.problem(Self.scenario(request))?.hasPrefix(problem) == true)
    }

    @Test("unknown words are refused too")
    func words() throws {
        let request = #"{"url": "{http}/", "expect": {"cause": "bad luck"}}"#
        #expect(Self.problem(Self.scenario(request))?.hasPrefix("[0].requests[0].expect.cause: ") == true)
        let good = #"{"url": "{http}/", "expect": {}}"#
        for requirement in ["magic", "curl:magic", "curl:"] {
            let problem = Self.problem(Self.scenario(good, #""requires": ["\#(requirement)"],"#))
            #expect(problem == "[0].requires[0]: \"\(requirement)\" is no feature")
        }
        #expect(Self.problem(Self.scenario(good, #""proxy": "closed","#))?.hasPrefix("[0].proxy: ") == true)
        #expect(Self.problem("[") != nil)
    }

    @Test(
        "requests that come out as they should pass",
        arguments: [
            #"{"url": "{http}/hello", "expect": {"status": 200, "text": "hello\n", "heads": [200]}}"#,
            #"{"url": "{http}/hello", "options": {"tunnel": true}, "expect": {"heads": [200, 200]}}"#,
            #"{"url": "{http}/bytes/100000", "expect": {"bytes": 100000}}"#,
            #"{"url": "{http}/sink", "upload": 2000, "expect": {"echoesUpload": true}}"#,
            #"{"url": "{http}/sink", "method": "PUT", "upload": 2000, "expect": {"echoesUpload": true}}"#,
            #"{"url": "{http}/hello", "count": 3, "expect": {"newConnections": 1}}"#,
            #"{"url": "{http}/hello", "count": 5, "parallel": true, "expect": {"text": "hello\n"}}"#,
            #"{"url": "{http}/cut", "expect": {"cause": "connectionLost"}}"#,
        ])
    func pass(request: String) async throws {
        #expect(try await self.run(request) == .pass)
    }

    @Test(
        "requests that come out otherwise fail, with what was seen",
        arguments: [
            (#"{"url": "{http}/hello", "expect": {"status": 404}}"#, Cause.mismatch, "status: \"200\""),
            (#"{"url": "{http}/hello", "expect": {"text": "bye\n"}}"#, .mismatch, "body: "),
            (#"{"url": "{http}/hello", "expect": {"heads": [200, 200]}}"#, .mismatch, "statuses: "),
            (
                #"{"url": "{http}/hello", "expect": {"connectStatus": 200}}"#, .mismatch,
                "the proxy's status: "
            ),
            (#"{"url": "{http}/bytes/10", "expect": {"bytes": 11}}"#, .mismatch, "a body of 10 bytes"),
            (
                #"{"url": "{http}/wrong", "expect": {"bytes": 1000}}"#, .mismatch,
                "the body differs at byte 700"
            ),
            (#"{"url": "{http}/hello", "upload": 3, "expect": {"echoesUpload": true}}"#, .mismatch, "body: "),
            (
                #"{"url": "{http}/hello", "count": 3, "expect": {"newConnections": 3}}"#, .mismatch,
                "new connections: \"1\""
            ),
            (#"{"url": "{http}/hello", "expect": {"cause": "timedOut"}}"#, .mismatch, "succeeded"),
            (#"{"url": "{http}/cut", "expect": {"status": 200}}"#, .connectionLost, ""),
            (#"{"url": "{http}/cut", "expect": {"cause": "timedOut"}}"#, .connectionLost, ""),
        ])
    func fail(request: String, cause: Cause, detail: String) async throws {
        let verdict = try await self.run(request)
        guard case .fail(cause, let text) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(text.hasPrefix(detail))
    }

    @Test("credentials: right, wrong and none")
    func credentials() async throws {
        let server = CurlHTTPServer(authorization: "Basic YWxpY2U6c2VjcmV0")
        func verdict(_ credentials: String, _ expect: String) async throws -> Verdict {
            let options = #"{"tunnel": true, "credentials": "\#(credentials)"}"#
            return try await self.run(
                #"{"url": "{http}/hello", "options": \#(options), "expect": \#(expect)}"#, server: server,
                user: "alice")
        }
        #expect(try await verdict("right", #"{"heads": [200, 200]}"#) == .pass)
        #expect(try await verdict("wrong", #"{"cause": "proxyAuthentication"}"#) == .pass)
        #expect(try await verdict("none", #"{"cause": "proxyAuthentication", "heads": [407]}"#) == .pass)
        #expect(try await verdict("none", #"{"status": 200}"#) != .pass)
    }

    @Test("the failing request is named where there are several")
    func several() async throws {
        let good = #"{"url": "{http}/hello", "expect": {"status": 200}}"#
        let bad = #"{"url": "{http}/hello", "expect": {"status": 500}}"#
        guard case .fail(.mismatch, let text) = try await self.run("\(good), \(bad)") else {
            Issue.record("passed")
            return
        }
        #expect(text.hasPrefix("request 2: status"))
    }

    @Test("a feature that is missing makes it unavailable, and nothing is asked")
    func unavailable() async throws {
        let request = #"{"url": "{http}/hello", "expect": {"status": 500}}"#
        #expect(
            try await self.run(request, #""requires": ["forward", "socks"],"#)
                == .unavailable(.unsupported, "culvert proxy has no SOCKS"))
    }

    @Test("a proxy that cannot be had is a failure")
    func noProxy() async throws {
        let text = Self.scenario(#"{"url": "{http}/hello", "expect": {}}"#)
        let scenario = try #require(try Self.scenarios(text).first)
        let environment = ProxyScenarioEnvironment(
            http: "", https: "", ws: "", wss: "", authority: "", refusedPort: 1, features: []
        ) { _ in throw InteropFailure(.timedOut, "it did not start") }
        #expect(
            await ProxyScenarioRunner.run(scenario, environment: environment)
                == .fail(.timedOut, "it did not start"))
    }
}
