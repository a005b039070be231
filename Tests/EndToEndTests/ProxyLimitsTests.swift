import CulvertInterop
import Foundation
import Testing

/// What clients and users may use of `culvert proxy`.
@Suite("the limits of culvert proxy", .timeLimit(.minutes(5)), .requires(.curl, .python3))
struct ProxyLimitsTests {
    private func curl(_ arguments: [String], _ proxy: CulvertProxyProcess) async throws -> CommandResult {
        try await Command.run(
            ["curl", "-sS", "--proxy", proxy.url] + arguments, within: .seconds(120))
    }

    /// One more than it may, whose answer names the error and says when to come back.
    private func expectRefusal(
        _ proxy: CulvertProxyProcess, status: Int, limit: String, _ arguments: [String] = []
    ) async throws {
        let connection = try await proxy.connect()
        try await connection.send("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: a\r\n" + arguments.joined() + "\r\n")
        let answer = try await connection.receiveToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(answer.contains("\r\nRetry-After: "), "\(answer)")
        #expect(answer.contains("\r\nProxy-Status: "), "\(answer)")
        await connection.close()
        try await eventually("the log names the limit") {
            try proxy.log().contains { $0.limit == limit && $0.status == status && $0.decision == "deny" }
        }
    }

    @Test(
        "connections at once: one too many is told so, and counts no more when another has ended",
        arguments: [("max-connections", 503), ("client-connections", 429)], ["auto", "copy"])
    func connections(limit: (name: String, status: Int), relay: String) async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess([
            "--\(limit.name)", "2", "--relay", relay, "--admin", "127.0.0.1:0",
        ])
        let tunnels = [
            try await proxy.tunnel(to: origin.port), try await proxy.tunnel(to: origin.port),
        ]
        try await self.expectRefusal(proxy, status: limit.status, limit: limit.name)
        // The open ones go on.
        try await tunnels[1].send("still here")
        _ = try await tunnels[1].receive(until: "still here")
        let metrics = try await Command.check(
            ["curl", "-sS", "http://127.0.0.1:\(try await proxy.adminPort())/metrics"]
        ).text
        #expect(metrics.contains("culvert_limit_refusals_total{limit=\"\(limit.name)\"} 1"), "\(metrics)")
        await tunnels[0].close()
        try await eventually("a tunnel has ended") { try proxy.log().contains { $0.status == 200 } }
        let next = try await proxy.tunnel(to: origin.port)
        await next.close()
        await tunnels[1].close()
        try await eventually("all three have ended") {
            try proxy.log().filter { $0.status == 200 }.count == 3
        }
        // And again and again: no connection is counted twice, or for ever.
        for _ in 0..<20 {
            let before = try proxy.log().count
            let one = try await proxy.tunnel(to: origin.port)
            await one.close()
            try await eventually("it has ended") { try proxy.log().count > before }
        }
    }

    @Test("a flood beyond the limit is cut off without taking the room of those who are in")
    func flood() async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess(["--client-connections", "1"])
        let tunnel = try await proxy.tunnel(to: origin.port)
        let before = try #require(proxy.descriptorCount)
        var flood: [RawConnection] = []
        for _ in 0..<300 { flood.append(try await proxy.connect()) }
        try await eventually("the rest is closed") {
            (proxy.descriptorCount ?? .max) <= before + 130 && flood.filter(\.hasEnded).count >= 170
        }
        try await tunnel.send("still here")
        _ = try await tunnel.receive(until: "still here")
        for connection in flood { await connection.close() }
        await tunnel.close()
        try await eventually("room again", within: .seconds(20)) {
            // The proxy may still count one that it has closed.
            guard (proxy.descriptorCount ?? .max) <= before,
                let next = try? await proxy.tunnel(to: origin.port)
            else { return false }
            await next.close()
            return true
        }
    }

    @Test("requests in a time: those beyond are told when to come back")
    func requestRate() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess(["--client-request-rate", "3/m"])
        let result = try await self.curl(
            ["-w", "%{http_code}\n", "-o", "/dev/null", origin.url("/hello?[1-5]")], proxy)
        #expect(result.text == "200\n200\n200\n429\n429\n")
        try await self.expectRefusal(proxy, status: 429, limit: "client-request-rate")
        let head = try await self.curl(["-i", origin.url("/hello")], proxy).text
        let seconds = head.split(separator: "\r\n").first { $0.hasPrefix("Retry-After: ") }?.dropFirst(13)
        #expect((1...20).contains(Int(seconds ?? "") ?? 0), "\(head)")
    }

    @Test("users have their own, whatever the others do")
    func users() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess.authenticating([
            "--user-request-rate", "2/h", "--user-connections", "1",
        ])
        let alice = ["-w", "%{http_code}\n", "-o", "/dev/null", "-U", "alice:secret"]
        let three = try await self.curl(alice + [origin.url("/hello?[1-3]")], proxy)
        #expect(three.text == "200\n200\n429\n")
        let bob = ["-w", "%{http_code}\n", "-o", "/dev/null", "-U", "bob:pass:with:colons"]
        #expect(try await self.curl(bob + [origin.url("/hello")], proxy).text == "200\n")
        // One connection of bob's stays open: his second is one too many. "bob:pass:with:colons"
        let echo = try await ObedientOrigin()
        let credentials = "Proxy-Authorization: Basic Ym9iOnBhc3M6d2l0aDpjb2xvbnM=\r\n"
        let tunnel = try await proxy.connect()
        try await tunnel.send("CONNECT 127.0.0.1:\(echo.port) HTTP/1.1\r\nHost: a\r\n\(credentials)\r\n")
        _ = try await tunnel.receive(until: "200 Connection established\r\n\r\n")
        try await self.expectRefusal(proxy, status: 429, limit: "user-connections", [credentials])
        await tunnel.close()
    }

    /// 4 MB at 2 MB/s, of which half a megabyte is saved up: 1.75 s.
    @Test(
        "bandwidth holds for tunnels and for forwarded requests, both ways, with both engines",
        arguments: [[], ["-p"]], [["--relay", "splice"], ["--relay", "copy"]])
    func bandwidth(options: [String], relay: [String]) async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess(["--client-bandwidth", "2MB"] + relay)
        let clock = ContinuousClock()
        let down = try await clock.measure {
            let result = try await self.curl(
                options + ["-o", "/dev/null", "-w", "%{size_download}", origin.url("/bytes/4000000")], proxy)
            #expect(result.text == "4000000")
        }
        #expect(down > .milliseconds(1500), "\(down)")
        let file = try Workspace.directory("upload").appendingPathComponent("4MB")
        try Workspace.write(String(repeating: "0123456789", count: 400_000), to: file)
        let up = try await clock.measure {
            let result = try await self.curl(options + ["-T", file.path, origin.url("/sink")], proxy)
            #expect(result.text.hasSuffix(" 4000000\n"), "\(result.text)")
        }
        #expect(up > .milliseconds(1500), "\(up)")
    }

    @Test("bandwidth is one for all connections of a user, and a new connection pays for the last one")
    func sharedBandwidth() async throws {
        let origin = try await Origins.shared.plainWeb()
        let proxy = try await CulvertProxyProcess.authenticating(["--user-bandwidth", "1MB"])
        let fetch = ["-U", "alice:secret", "-o", "/dev/null", origin.url("/bytes/500000")]
        let clock = ContinuousClock()
        @Sendable func fetchOnce() async throws {
            let result = try await self.curl(fetch, proxy)
            #expect(result.status == 0, "\(result.errors)")
        }
        // Each would be through at once alone: 2 MB, less the quarter that is saved up, less the last read of each
        // connection, up to 128 KB that nobody waits for once it has ended.
        let together = try await clock.measure {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 { tasks.addTask { try await fetchOnce() } }
                try await tasks.waitForAll()
            }
        }
        #expect(together > .milliseconds(1100), "\(together)")
        let inTurn = try await clock.measure {
            for _ in 0..<4 { try await fetchOnce() }
        }
        #expect(inTurn > .milliseconds(1000), "\(inTurn)")
        let other = try await self.curl(["-U", "bob:pass:with:colons", origin.url("/hello")], proxy)
        #expect(other.text == "hello from the origin\n")
    }

    @Test("a reload changes the limits for what comes, and open tunnels stay")
    func reload() async throws {
        let origin = try await ObedientOrigin()
        let file = try Workspace.directory("limits").appendingPathComponent("culvert.yaml")
        try Workspace.write("client-connections: 1\nwatch: no\n", to: file)
        let proxy = try await CulvertProxyProcess(["--config", file.path])
        let tunnel = try await proxy.tunnel(to: origin.port)
        try await self.expectRefusal(proxy, status: 429, limit: "client-connections")
        try Workspace.write("client-connections: 2\nwatch: no\n", to: file)
        proxy.process.signal(SIGHUP)
        try await eventually("the reload") {
            proxy.process.errors.text.contains("reloaded the configuration")
        }
        let second = try await proxy.tunnel(to: origin.port)
        try await self.expectRefusal(proxy, status: 429, limit: "client-connections")
        try await tunnel.send("still here")
        _ = try await tunnel.receive(until: "still here")
        await second.close()
        await tunnel.close()
    }
}
