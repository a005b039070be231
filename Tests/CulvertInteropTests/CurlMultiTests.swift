import CCurl
import Foundation
import TestSupport
import Testing

@testable import CulvertInterop

@Suite("transfers of libcurl", .timeLimit(.minutes(2)))
struct CurlMultiTests {
    /// Runs transfers one after another over one set of connections.
    private func outcomes(
        _ server: CurlHTTPServer = CurlHTTPServer(), timeout: Duration = .seconds(20),
        _ options: @escaping @Sendable (String) -> [[CurlOption]]
    ) async throws -> [CurlOutcome] {
        try await withTCPServer(server.serve) { authority in
            let multi = try CurlMulti()
            var outcomes: [CurlOutcome] = []
            for options in options("\(authority)") {
                outcomes.append(try await multi.perform(CurlEasy(options), timeout: timeout))
            }
            await multi.end()
            return outcomes
        }
    }

    private static func proxy(_ authority: String, user: String? = nil) -> CurlProxy {
        let parts = authority.split(separator: ":")
        return CurlProxy(
            .http, host: String(parts[0]), port: Int(parts[1]) ?? 0, user: user, password: "secret")
    }

    @Test("answers come with status, head and body, and one connection serves all")
    func reuse() async throws {
        let outcomes = try await self.outcomes { authority in
            [
                [.url("http://\(authority)/hello")], [.url("http://\(authority)/bytes/200000")],
                [.url("http://\(authority)/nothing")],
            ]
        }
        #expect(outcomes.map(\.failure) == [nil, nil, nil])
        #expect(outcomes.map(\.status) == [200, 200, 404])
        #expect(outcomes.map(\.newConnections) == [1, 0, 0])
        #expect(outcomes[0].body.text == "hello\n")
        #expect(outcomes[0].heads.map(\.statusLine) == ["HTTP/1.1 200 OK"])
        #expect(outcomes[0].heads[0]["content-length"] == "6")
        #expect(outcomes[0].primaryAddress == "127.0.0.1")
        #expect(outcomes[1].body.count == 200_000)
        #expect(outcomes[1].body.deviation == nil)
        #expect(outcomes[1].body.start.count == 16 << 10)
    }

    @Test("a body that differs from the pattern says where")
    func deviation() async throws {
        let outcomes = try await self.outcomes { [[.url("http://\($0)/wrong")]] }
        #expect(outcomes[0].body.deviation == 700)
    }

    @Test("bodies go out whole, as POST and as PUT")
    func upload() async throws {
        let outcomes = try await self.outcomes { authority in
            [false, true].map {
                [
                    .url("http://\(authority)/sink"), .headers(["Expect:"]),
                    .upload(bytes: 300_000, isPut: $0, isChunked: false),
                ]
            }
        }
        let digest = try #require(PatternDigest.sha256(ofBytes: 300_000))
        #expect(outcomes.map(\.body.text) == ["300000 \(digest)\n", "300000 \(digest)\n"])
    }

    @Test("a 407 is answered on the same connection, and the tunnel carries the request")
    func challenge() async throws {
        let server = CurlHTTPServer(authorization: "Basic YWxpY2U6c2VjcmV0")
        let outcomes = try await self.outcomes(server) { authority in
            [[.url("http://target.invalid/hello"), .proxy(Self.proxy(authority, user: "alice")), .tunnel]]
        }
        #expect(outcomes[0].heads.map(\.status) == [407, 200, 200])
        #expect(outcomes[0].connectStatus == 200)
        #expect(outcomes[0].newConnections == 1)
        #expect(outcomes[0].body.text == "hello\n")
    }

    @Test("refusals of the proxy are its own", arguments: [("403 No", 403), ("502 Bad", 502)])
    func refusal(line: String, status: Int) async throws {
        let outcomes = try await self.outcomes(CurlHTTPServer(connectRefusal: line)) { authority in
            [[.url("https://target.invalid/"), .proxy(Self.proxy(authority)), .tunnel]]
        }
        #expect(outcomes[0].cause == .proxyRefused(status: status))
    }

    @Test("no answer is a timeout, half a body a lost connection, a closed port no connection")
    func failures() async throws {
        let silent = try await self.outcomes(timeout: .milliseconds(300)) { authority in
            [[.url("http://\(authority)/silent")]]
        }
        let cut = try await self.outcomes { authority in [[.url("http://\(authority)/cut")]] }
        #expect((silent + cut).map(\.cause) == [.timedOut, .connectionLost])
        let closed = try await withTCPServer(CurlHTTPServer().serve) { "\($0)" }
        let multi = try CurlMulti()
        let outcome = try await multi.perform(
            CurlEasy([.url("http://\(closed)/hello")]), timeout: .seconds(10))
        await multi.end()
        #expect(outcome.cause == .connectFailed)
    }

    @Test("a cancelled task's transfer ends at once, another goes on")
    func cancellation() async throws {
        try await withTCPServer(CurlHTTPServer().serve) { authority in
            let multi = try CurlMulti()
            let task = Task {
                try await multi.perform(CurlEasy([.url("http://\(authority)/silent")]), timeout: .seconds(60))
            }
            let other = try await multi.perform(
                CurlEasy([.url("http://\(authority)/hello")]), timeout: .seconds(10))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(other.isSuccess)
            await multi.end()
        }
    }

    @Test("ending ends what runs; what comes later fails, and ending twice does nothing")
    func end() async throws {
        try await withTCPServer(CurlHTTPServer().serve) { authority in
            let multi = try CurlMulti()
            let options: [CurlOption] = [.url("http://\(authority)/silent")]
            let running = Task { try await multi.perform(CurlEasy(options), timeout: .seconds(60)) }
            _ = try await multi.perform(
                CurlEasy([.url("http://\(authority)/hello")]), timeout: .seconds(10))
            await multi.end()
            await multi.end()
            await #expect(throws: InteropFailure.self) { try await running.value }
            await #expect(throws: InteropFailure.self) {
                try await multi.perform(CurlEasy(options), timeout: .seconds(60))
            }
        }
    }

    @Test("200 opened and ended leave no thread and no descriptor", .enabled(if: ProcessCounts.areKnown))
    func leaks() async throws {
        try await withTCPServer(CurlHTTPServer().serve) { authority in
            let before = ProcessCounts()
            for index in 0..<200 {
                let multi = try CurlMulti()
                let outcome = try await multi.perform(
                    CurlEasy([.url("http://\(authority)/hello")]), timeout: .seconds(20))
                #expect(outcome.isSuccess)
                // Every other one is only let go of.
                if index.isMultiple(of: 2) { await multi.end() }
            }
            try await ProcessCounts.fall(to: before)
        }
    }
}

/// How many threads and descriptors this process has. Other tests run beside: a hundred more or less say nothing, two
/// hundred times something does.
struct ProcessCounts {
    let threads: Int
    let descriptors: Int

    static var areKnown: Bool { FileManager.default.fileExists(atPath: "/proc/self/task") }

    init() {
        func count(_ path: String) -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: path).count) ?? 0
        }
        self.threads = count("/proc/self/task")
        self.descriptors = count("/proc/self/fd")
    }

    /// Waits until both are near what they were.
    static func fall(to before: ProcessCounts) async throws {
        var now = ProcessCounts()
        for _ in 0..<100 {
            if now.threads < before.threads + 100, now.descriptors < before.descriptors + 100 { return }
            try await Task.sleep(for: .milliseconds(50))
            now = ProcessCounts()
        }
        Issue.record("\(now) were \(before)")
    }
}
