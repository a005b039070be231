import CulvertInterop
import Foundation
import Testing

/// The admin listener of `culvert proxy`, met by those it is for.
@Suite("the admin listener of culvert proxy", .serialized, .timeLimit(.minutes(4)))
struct AdminTests {
    private func get(_ path: String, _ port: Int) async throws -> String {
        let connection = try await RawConnection(port: port)
        try await connection.send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
        return try await connection.receiveToEnd()
    }

    @Test("without --admin nothing listens but the proxy")
    func off() async throws {
        let proxy = try await CulvertProxyProcess()
        #expect(!proxy.process.errors.text.contains("admin"))
    }

    @Test(
        "Prometheus' own parser reads the metrics, and their names keep its conventions", .requires(.python3))
    func prometheus() async throws {
        let proxy = try await CulvertProxyProcess(["--admin", "127.0.0.1:0", "--connect-port", "1"])
        let admin = try await proxy.adminPort()
        let origin = try await ObedientOrigin()
        // Refused: it may reach one port only.
        let client = try await proxy.connect()
        try await client.send(
            "CONNECT 127.0.0.1:\(origin.port) HTTP/1.1\r\nHost: 127.0.0.1:\(origin.port)\r\n\r\n")
        _ = try await client.receive(until: "\r\n\r\n")
        await client.close()
        // One that waits, unlike a refused one, which is let go after two seconds.
        let waiting = try await proxy.connect()
        var metrics = ""
        try await eventually("the one that waits is the only one") {
            metrics = try await self.get("/metrics", admin)
            return metrics.contains("\nculvert_connections_open 1\n")
        }
        await waiting.close()
        let body = try metrics.components(separatedBy: "\r\n\r\n").last.unwrapped("a body")
        let script = """
            import sys
            from prometheus_client.parser import text_string_to_metric_families
            for family in text_string_to_metric_families(sys.stdin.read()):
                assert family.documentation, family.name
                assert family.type in ("counter", "gauge", "histogram"), family.name
                for sample in family.samples:
                    if family.type == "counter":
                        assert sample.name.endswith("_total"), sample.name
                    print(sample.name, dict(sample.labels), float(sample.value))
            """
        let result = try await Command.run([PeerPython.path, "-c", script], input: Array(body.utf8))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.lines.contains("culvert_requests_refused_total {'reason': 'forbidden'} 1.0"))
        #expect(result.lines.contains("culvert_connections_open {} 1.0"))
        #expect(result.lines.contains { $0.hasPrefix("culvert_dial_seconds_bucket {'le': '+Inf'}") })
        #if os(Linux)
            for name in ["process_open_fds", "process_resident_memory_bytes", "process_cpu_seconds_total"] {
                #expect(result.lines.contains { $0.hasPrefix("\(name) {}") }, "\(name)")
            }
        #endif
    }

    @Test("SIGTERM: not ready at once, healthy until the last tunnel is gone, then the exit code is 0")
    func drain() async throws {
        let proxy = try await CulvertProxyProcess(["--admin", "127.0.0.1:0", "--drain-timeout", "60"])
        let admin = try await proxy.adminPort()
        let origin = try await ObedientOrigin()
        let tunnel = try await proxy.tunnel(to: origin.port)
        #expect(try await self.get("/readyz", admin).hasPrefix("HTTP/1.1 200 "))
        proxy.process.signal(SIGTERM)
        try await eventually("it says that it is not ready") {
            try await self.get("/readyz", admin).hasPrefix("HTTP/1.1 503 ")
        }
        try await tunnel.send("during the drain")
        _ = try await tunnel.receive(until: "during the drain")
        #expect(try await self.get("/healthz", admin).hasPrefix("HTTP/1.1 200 "))
        await tunnel.close()
        #expect(try await proxy.process.exit(within: .seconds(10)) == 0)
    }

    @Test("--drain-delay: new tunnels are still opened while it already says not ready")
    func drainDelay() async throws {
        let proxy = try await CulvertProxyProcess(["--admin", "127.0.0.1:0", "--drain-delay", "60"])
        let admin = try await proxy.adminPort()
        let origin = try await ObedientOrigin()
        proxy.process.signal(SIGTERM)
        try await eventually("it says that it is not ready") {
            try await self.get("/readyz", admin).hasPrefix("HTTP/1.1 503 ")
        }
        let tunnel = try await proxy.tunnel(to: origin.port)
        try await tunnel.send("late")
        _ = try await tunnel.receive(until: "late")
        proxy.process.signal(SIGTERM)
        _ = try await proxy.process.exit(within: .seconds(10))
    }

    @Test("SIGUSR1 opens the access log again, and no line is lost")
    func rotation() async throws {
        let file = try Workspace.directory("rotation").appendingPathComponent("access.log")
        let proxy = try await CulvertProxyProcess([
            "--access-log", file.path, "--access-log-format", "squid",
        ])
        let origin = try await ObedientOrigin()
        func lines(_ suffix: String) -> [Substring] {
            let text = try? String(contentsOfFile: file.path + suffix, encoding: .utf8)
            return text?.split(separator: "\n") ?? []
        }
        await (try await proxy.tunnel(to: origin.port)).close()
        try await eventually("the first line") { lines("").count == 1 }
        try FileManager.default.moveItem(atPath: file.path, toPath: file.path + ".1")
        proxy.process.signal(SIGUSR1)
        try await eventually("the new file") { FileManager.default.fileExists(atPath: file.path) }
        await (try await proxy.tunnel(to: origin.port)).close()
        try await eventually("the second line") { lines("").count == 1 }
        #expect(lines(".1").count == 1)
        #expect(lines("").first?.contains(" TCP_TUNNEL/200 0 CONNECT 127.0.0.1:\(origin.port) - ") == true)
    }

    @Test("an address in use ends it with words")
    func inUse() async throws {
        let other = try await CulvertProxyProcess()
        let result = try await CulvertCommand.run([
            "proxy", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:\(other.port)",
        ])
        #expect(result.status == 3)
        #expect(result.lastErrorLine.contains("cannot listen on"), "\(result.errors)")
    }
}
