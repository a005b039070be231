import CulvertInterop
import Foundation
import Testing

/// Examples/Cluster, run for real.
@Suite("three proxies behind HAProxy", .serialized, .timeLimit(.minutes(4)))
struct ClusterTests {
    /// What the example's script says of one of its proxies.
    private struct Member {
        let pid: Int32
        let port: Int
        let admin: Int

        /// `cluster: proxy 1 is pid 123 on port 456, its status page is http://127.0.0.1:789/`
        init?(_ line: String) {
            let numbers = line.split { !$0.isNumber }.compactMap { Int($0) }
            guard line.hasPrefix("cluster: proxy "), numbers.count == 8, let pid = Int32(exactly: numbers[1])
            else { return nil }
            self.pid = pid
            self.port = numbers[2]
            self.admin = numbers[7]
        }

        /// One of its metrics; nil when it does not answer any more.
        func metric(_ name: String) async throws -> Int? {
            guard let connection = try? await RawConnection(port: self.admin) else { return nil }
            try await connection.send("GET /metrics HTTP/1.0\r\n\r\n")
            let lines = try await connection.receiveToEnd().split(separator: "\n")
            let line = lines.first { $0.hasPrefix("\(name) ") }
            return line.flatMap { Int($0.dropFirst(name.count + 1)) }
        }
    }

    private struct Cluster {
        let process: LeashedProcess
        let port: Int
        let members: [Member]

        init() async throws {
            self.port = try LoopbackPort.free()
            let script = Workspace.package.appendingPathComponent("Examples/Cluster/cluster.sh").path
            self.process = try await LeashedProcess(
                // The origin is on loopback, where a proxy that trusts a load balancer lets nobody in.
                ["bash", script, "\(self.port)", "--guard", "off"],
                environment: ["CULVERT_BIN": CulvertCommand.path])
            let process = self.process
            try await eventually("the cluster stands: \(process.errors.text)", within: .seconds(60)) {
                process.output.lines.contains { $0.hasPrefix("cluster: clients use ") } || process.hasEnded
            }
            try await process.accepts(on: self.port)
            self.members = process.output.lines.compactMap(Member.init)
        }

        func tunnel(to origin: ObedientOrigin) async throws -> RawConnection {
            let connection = try await RawConnection(port: self.port)
            let target = "127.0.0.1:\(origin.port)"
            try await connection.send("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
            do {
                let head = try await connection.receive(until: "\r\n\r\n")
                #expect(head.hasPrefix("HTTP/1.1 200 "), "\(head)")
                return connection
            } catch {
                // HAProxy tells there which proxies it has lost, and why.
                throw TimedOut(what: "\(error); the cluster says: \(self.process.errors.text.suffix(2000))")
            }
        }
    }

    private func say(_ words: String, on tunnels: [RawConnection]) async throws {
        for tunnel in tunnels {
            try await tunnel.send(words)
            _ = try await tunnel.receive(until: words)
        }
    }

    @Test(
        "one is stopped and one killed: new tunnels go on, and only the killed one's own break",
        .requires(.haproxy))
    func stopOne() async throws {
        let cluster = try await Cluster()
        try #require(cluster.members.count == 3, "\(cluster.process.output.lines)")
        let origin = try await ObedientOrigin()
        var tunnels: [RawConnection] = []
        for _ in 0..<9 { tunnels.append(try await cluster.tunnel(to: origin)) }
        for member in cluster.members {
            #expect(try await member.metric("culvert_tunnels_open") == 3, "the load is shared evenly")
        }

        let stopped = cluster.members[0]
        kill(stopped.pid, SIGTERM)
        // At once, and for longer than the drain's delay: none is refused.
        for _ in 0..<110 {
            let tunnel = try await cluster.tunnel(to: origin)
            try await self.say("new", on: [tunnel])
            await tunnel.close()
            try await Task.sleep(for: .milliseconds(50))
        }
        try await self.say("still here", on: tunnels)
        let opened = try await stopped.metric("culvert_tunnels_opened_total")
        for _ in 0..<6 { tunnels.append(try await cluster.tunnel(to: origin)) }
        #expect(try await stopped.metric("culvert_tunnels_opened_total") == opened, "it gets none any more")
        #expect(try await stopped.metric("culvert_tunnels_open") == 3, "and keeps those it has")

        let killed = cluster.members[1]
        kill(killed.pid, SIGKILL)
        // The system closes what a killed process has open from the newest on: its tunnels have ended, and for a moment
        // connections to it still stand, which nobody can rescue.
        try await eventually("its tunnels end, and then its listener") {
            tunnels.contains { $0.hasEnded } && !LoopbackPort.accepts(killed.port)
        }
        for _ in 0..<10 {
            let tunnel = try await cluster.tunnel(to: origin)
            try await self.say("new again", on: [tunnel])
            await tunnel.close()
        }
        try await eventually("the killed one's six tunnels are gone") {
            tunnels.filter { $0.hasEnded }.count == 6
        }
        try await self.say("to the end", on: tunnels.filter { !$0.hasEnded })
        for tunnel in tunnels { await tunnel.close() }
    }
}
