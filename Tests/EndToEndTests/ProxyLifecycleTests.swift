import CulvertInterop
import Foundation
import Testing

/// How tunnels and the proxy itself end.
@Suite("the life of culvert proxy", .serialized, .timeLimit(.minutes(4)))
struct ProxyLifecycleTests {
    @Test("an idle tunnel ends, a busy one does not, whichever side is busy")
    func idle() async throws {
        let proxy = try await CulvertProxyProcess(["--idle-timeout", "1"])
        let origin = try await ObedientOrigin()
        let idle = try await proxy.tunnel(to: origin.port)
        let busy = try await proxy.tunnel(to: origin.port)
        for count in 1...8 {
            try await busy.send("x")
            try await Task.sleep(for: .milliseconds(300))
            #expect(!busy.hasEnded, "after \(count) pieces")
        }
        #expect(idle.hasEnded)
        _ = try await busy.receiveToEnd(within: .seconds(5))
        try await eventually("both are logged") { try proxy.log().count == 2 }
    }

    @Test("the end of one direction leaves the other open")
    func halfClose() async throws {
        let proxy = try await OwnProxies.shared.open()
        let origin = try await ObedientOrigin()
        let client = try await proxy.tunnel(to: origin.port)
        try await client.send("LATE!")
        await client.finish()
        #expect(try await client.receiveToEnd().hasSuffix("\r\n\r\nafter the end"))
        #expect(!client.wasReset)

        let second = try await proxy.tunnel(to: origin.port)
        try await second.send("HALF!")
        _ = try await second.receiveToEnd()
        try await second.send("still heard")
        try await eventually("the origin hears it") { origin.received.hasSuffix("still heard") }
        await second.close()

        let third = try await proxy.tunnel(to: origin.port)
        try await third.send("FIN!")
        _ = try await third.receiveToEnd()
        #expect(!third.wasReset)
        await third.close()
    }

    @Test("a reset passes as a reset")
    func reset() async throws {
        let proxy = try await OwnProxies.shared.open()
        let origin = try await ObedientOrigin()
        let client = try await proxy.tunnel(to: origin.port)
        try await client.send("RST!")
        _ = try await client.receiveToEnd()
        try await eventually("the reset arrives") { client.wasReset }
        await client.close()

        let second = try await proxy.tunnel(to: origin.port)
        await second.reset()
        try await eventually("the origin is reset") { origin.resets == 1 }
    }

    @Test("SIGTERM: no new connection, an open tunnel goes on, and the exit code is 0")
    func drain() async throws {
        let proxy = try await CulvertProxyProcess(["--drain-timeout", "20"])
        let origin = try await ObedientOrigin()
        let tunnel = try await proxy.tunnel(to: origin.port)
        let waiting = try await proxy.connect()
        proxy.process.signal(SIGTERM)
        try await eventually("new connections are refused", within: .seconds(5)) {
            !LoopbackPort.accepts(proxy.port)
        }
        try await tunnel.send("during the drain")
        _ = try await tunnel.receive(until: "during the drain")
        #expect(!proxy.process.hasEnded)
        await waiting.close()
        await tunnel.close()
        #expect(try await proxy.process.exit(within: .seconds(5)) == 0)
    }

    #if os(Linux)
        @Test(
            "who was connected before the stop, and not accepted yet, is served all the same",
            arguments: ["auto", "copy"])
        func drainOfTheQueue(relay: String) async throws {
            let proxy = try await CulvertProxyProcess(["--threads", "1", "--relay", relay])
            let origin = try await ObedientOrigin()
            let target = "127.0.0.1:\(origin.port)"
            // It accepts nothing while it is stopped, and learns of the signal together with all of them.
            proxy.process.signal(SIGSTOP)
            var waiting: [RawConnection] = []
            for _ in 0..<200 {
                let connection = try await proxy.connect()
                try await connection.send("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
                waiting.append(connection)
            }
            proxy.process.signal(SIGTERM)
            proxy.process.signal(SIGCONT)
            for connection in waiting {
                let head = try await connection.receive(until: "\r\n\r\n")
                #expect(head.hasPrefix("HTTP/1.1 200 "), "\(head)")
                await connection.close()
            }
            #expect(try await proxy.process.exit(within: .seconds(10)) == 0)
        }

        @Test(
            "a request that came before the stop, and was not read yet, is answered",
            arguments: ["auto", "copy"])
        func drainOfRequests(relay: String) async throws {
            let proxy = try await CulvertProxyProcess(["--threads", "1", "--relay", relay])
            let origin = try await FileServer(["file": "text"])
            let request = "GET \(origin.url("/file")) HTTP/1.1\r\nHost: 127.0.0.1:\(origin.port)\r\n\r\n"
            let connection = try await proxy.connect()
            try await connection.send(request)
            // To its end: what comes behind a request under way is not read at a stop.
            try await eventually("the first is over") { try proxy.log().count == 1 }
            proxy.process.signal(SIGSTOP)
            try await connection.send(request)
            proxy.process.signal(SIGTERM)
            proxy.process.signal(SIGCONT)
            let received = try await connection.receiveToEnd()
            #expect(received.components(separatedBy: "HTTP/1.1 200 ").count == 3, "\(received)")
            #expect(try await proxy.process.exit(within: .seconds(10)) == 0)
        }
    #endif

    @Test("a tunnel that outlives the drain is cut at the deadline")
    func drainDeadline() async throws {
        let proxy = try await CulvertProxyProcess(["--drain-timeout", "1"])
        let origin = try await ObedientOrigin()
        let tunnel = try await proxy.tunnel(to: origin.port)
        let start = ContinuousClock.now
        proxy.process.signal(SIGTERM)
        _ = try await tunnel.receiveToEnd(within: .seconds(8))
        #expect(ContinuousClock.now - start > .milliseconds(700))
        #expect(try await proxy.process.exit(within: .seconds(8)) == 0)
        #expect(try proxy.log().count == 1, "the cut tunnel is logged too")
    }

    @Test("a second signal stops at once")
    func secondSignal() async throws {
        let proxy = try await CulvertProxyProcess(["--drain-timeout", "60"])
        let origin = try await ObedientOrigin()
        let tunnel = try await proxy.tunnel(to: origin.port)
        proxy.process.signal(SIGTERM)
        try await eventually("the drain begins") { !LoopbackPort.accepts(proxy.port) }
        proxy.process.signal(SIGTERM)
        _ = try await tunnel.receiveToEnd(within: .seconds(5))
        _ = try await proxy.process.exit(within: .seconds(5))
        #expect(proxy.process.hasEnded)
    }

    @Test("with nothing to drain SIGTERM and SIGINT end it at once", arguments: [SIGTERM, SIGINT])
    func stop(signal: Int32) async throws {
        let proxy = try await CulvertProxyProcess()
        proxy.process.signal(signal)
        #expect(try await proxy.process.exit(within: .seconds(5)) == 0)
    }

    #if os(Linux)
        @Test("as many threads carry connections and relay tunnels as told", arguments: [1, 3])
        func threads(count: Int) async throws {
            let origin = try await ObedientOrigin()
            let proxy = try await CulvertProxyProcess(["--threads", "\(count)"])
            let tunnel = try await proxy.tunnel(to: origin.port)
            let tasks = URL(fileURLWithPath: "/proc/\(proxy.process.pid)/task")
            let names = try FileManager.default.contentsOfDirectory(
                at: tasks, includingPropertiesForKeys: nil
            )
            .map { try String(contentsOf: $0.appendingPathComponent("comm"), encoding: .utf8) }
            for prefix in ["NIO-SGLTN-", "relay-"] {
                #expect(names.count { $0.hasPrefix(prefix) } == count, "\(names)")
            }
            await tunnel.close()
        }
    #endif

    @Test("the access log goes to a file when told")
    func logFile() async throws {
        let file = try Workspace.directory("log").appendingPathComponent("access.log")
        let proxy = try await CulvertProxyProcess(["--access-log", file.path])
        let origin = try await ObedientOrigin()
        let tunnel = try await proxy.tunnel(to: origin.port)
        await tunnel.close()
        try await eventually("the line is there") {
            (try? String(contentsOf: file, encoding: .utf8))?.contains("127.0.0.1:\(origin.port)") == true
        }
        #expect(proxy.process.output.bytes.isEmpty)
    }

    @Test("the access log goes nowhere when told, and a rotation is no matter then")
    func noLog() async throws {
        let proxy = try await CulvertProxyProcess(["--access-log", "none"])
        let origin = try await ObedientOrigin()
        let tunnel = try await proxy.tunnel(to: origin.port)
        await tunnel.close()
        proxy.process.signal(SIGUSR1)
        let second = try await proxy.tunnel(to: origin.port)
        await second.close()
        proxy.process.signal(SIGTERM)
        #expect(try await proxy.process.exit(within: .seconds(10)) == 0)
        #expect(proxy.process.output.bytes.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: "none"))
    }

    /// How a tunnel can end.
    enum Ending: String, CaseIterable, Sendable {
        case clientFirst, originFirst, clientReset, originReset, clientHalf, originHalf, insideHead,
            whileDialling
        case afterRefusal, atOnce
    }

    @Test("two thousand tunnels, ended in every way, leave no descriptor behind")
    func descriptors() async throws {
        let proxy = try await CulvertProxyProcess()
        guard proxy.descriptorCount != nil else { return }
        let origin = try await ObedientOrigin()
        let silent = try await SilentOrigin()
        // Something listens there, and it is no proxy: the handshake with the parent never ends.
        let stuck = try await CulvertProxyProcess(["--upstream", "http://127.0.0.1:\(silent.port)"])
        // What the first request needs for good (resolver threads, event loops) is not a leak.
        for ending in Ending.allCases { try await self.end(ending, proxy, stuck, origin.port) }
        try await self.settle(proxy, at: nil)
        try await self.settle(stuck, at: nil)
        let before = try proxy.descriptorCount.unwrapped("/proc")
        let stuckBefore = try stuck.descriptorCount.unwrapped("/proc")

        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<16 {
                group.addTask {
                    for round in 0..<125 {
                        let ending = Ending.allCases[(worker + round) % Ending.allCases.count]
                        try await self.end(ending, proxy, stuck, origin.port)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await self.settle(proxy, at: before)
        try await self.settle(stuck, at: stuckBefore)
    }

    /// Waits for the descriptor count to be `count` or less; with nil, for one that stands still for a while.
    private func settle(_ proxy: CulvertProxyProcess, at count: Int?) async throws {
        var last = -1
        var same = 0
        do {
            try await eventually("descriptors come back to \(count ?? -1)", within: .seconds(15)) {
                let now = proxy.descriptorCount ?? -1
                same = now == last ? same + 1 : 0
                last = now
                return count.map { now <= $0 } ?? (same > 100)
            }
        } catch {
            throw TimedOut(what: "descriptors: \(last), should be \(count ?? -1)")
        }
    }

    private func end(
        _ ending: Ending, _ proxy: CulvertProxyProcess, _ stuck: CulvertProxyProcess, _ port: Int
    ) async throws {
        switch ending {
        case .insideHead:
            let connection = try await proxy.connect()
            try await connection.send("CONNECT 127.0.0.1:\(port) HTT")
            await connection.close()
        case .atOnce:
            await (try await proxy.connect()).reset()
        case .whileDialling:
            let connection = try await stuck.connect()
            try await connection.send("CONNECT 127.0.0.1:\(port) HTTP/1.1\r\nHost: a\r\n\r\nearly")
            await connection.reset()
        case .afterRefusal:
            let connection = try await proxy.connect()
            try await connection.send("CONNECT 127.0.0.1:\(proxy.port) HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await connection.receiveToEnd()
            await connection.close()
        case .clientFirst, .originFirst, .clientReset, .originReset, .clientHalf, .originHalf:
            let connection = try await proxy.tunnel(to: port)
            try await connection.send("hello")
            _ = try await connection.receive(until: "hello")
            switch ending {
            case .originFirst: try await connection.send("FIN!")
            case .originReset: try await connection.send("RST!")
            case .originHalf: try await connection.send("HALF!")
            case .clientHalf: await connection.finish()
            case .clientReset: return await connection.reset()
            default: return await connection.close()
            }
            _ = try await connection.receiveToEnd()
            await connection.close()
        }
    }
}
