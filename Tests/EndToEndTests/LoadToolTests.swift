import CulvertInterop
import Foundation
import Testing

/// The tools that put load on HTTP servers, through the proxy: nothing fails and nothing is lost, however fast it is.
@Suite("load on plain requests", .serialized, .timeLimit(.minutes(4)), .requires(.python3))
struct LoadToolTests {
    /// More than the pool keeps for one origin: connections are closed under the load too.
    private static let connections = 24

    @Test("wrk: every answer is a 200, and each has its line", .requires(.wrk))
    func wrk() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess()
        let script = try Workspace.directory("wrk").appendingPathComponent("absolute.lua")
        try Workspace.write(
            """
            wrk.headers["Host"] = "127.0.0.1:\(origin.port)"
            request = function() return wrk.format("GET", "\(origin.url("/hello"))") end
            done = function(summary, latency, requests)
                local errors = summary.errors
                io.write(string.format("result %d %d %d\\n", summary.requests, errors.status,
                    errors.connect + errors.read + errors.write + errors.timeout))
            end
            """, to: script)
        let result = try await Command.check([
            "wrk", "--connections", "\(Self.connections)", "--threads", "2", "--duration", "2s", "--timeout",
            "60s", "--script", script.path, proxy.url,
        ])
        let line = try result.lines.first { $0.hasPrefix("result ") }.unwrapped("wrk's result")
        let figures = line.split(separator: " ").compactMap { Int($0) }
        try #require(figures.count == 3, "\(line)")
        #expect(figures[0] > Self.connections)
        #expect(figures[1...] == [0, 0], "\(line)")
        // Those that were under way at its end are no failures of ours.
        try await eventually("a line for each request") {
            try proxy.log().filter { $0.status == 200 }.count >= figures[0]
        }
        #expect(try proxy.log().allSatisfy { $0.decision == "allow" })
    }

    @Test(
        "h2load: every stream of HTTP/2 ends with a 200, and each has its line", .requires(.h2load, .openssl))
    func h2load() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess.withTLS()
        let count = 600
        // It knows no proxies: to TLS with the proxy it says that the request is for an http URL.
        let result = try await Command.check([
            "h2load", "--requests", "\(count)", "--clients", "4", "--max-concurrent-streams", "10",
            "--connect-to", "127.0.0.1:\(proxy.port)", "--header", ":scheme: http",
            "https://127.0.0.1:\(origin.port)/hello",
        ])
        #expect(result.text.contains("\(count) succeeded, 0 failed, 0 errored, 0 timeout"), "\(result.text)")
        #expect(result.text.contains("status codes: \(count) 2xx, 0 3xx, 0 4xx, 0 5xx"), "\(result.text)")
        #expect(result.text.contains("Application protocol: h2\n"))
        try await eventually("a line for each") { try proxy.log().count == count }
        #expect(try proxy.log().allSatisfy { $0.status == 200 })
    }
}
