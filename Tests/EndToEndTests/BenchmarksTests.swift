#if os(Linux)
    import CulvertInterop
    import Foundation
    import Testing

    /// That the benchmarks measure what they say; how fast anything is depends on the machine.
    @Suite("benchmarks", .serialized, .timeLimit(.minutes(5)))
    struct BenchmarksTests {
        private static let path = Bundle.main.bundleURL.appendingPathComponent("benchmarks").path

        private static func run(_ arguments: [String]) async throws -> [[String: Any]] {
            let result = try await Command.run(
                [self.path] + arguments + ["--json"], within: .seconds(120))
            #expect(result.status == 0, "\(result.errors)")
            return try result.lines.map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
                return try #require(object as? [String: Any], "\(line)")
            }
        }

        @Test("every benchmark of the codec gives a figure")
        func codec() async throws {
            let results = try await Self.run(["codec", "--seconds", "0.001"])
            let names = Set(results.compactMap { $0["benchmark"] as? String })
            for name in ["masking", "UTF-8, mixed", "client writes text", "server reads binary", "inflate"] {
                #expect(names.contains(name))
            }
            for result in results {
                #expect(try #require(result["nanoseconds"] as? Double) > 0, "\(result)")
                #expect(try #require(result["allocations"] as? Double) >= 0, "\(result)")
            }
        }

        @Test(
            "every load goes through culvert proxy, and its processor time is seen",
            arguments: ["download", "upload", "round-trip", "open"])
        func load(kind: String) async throws {
            let proxy = try await CulvertProxyProcess()
            let result = try #require(
                try await Self.run([
                    "load", kind, "--proxy", "\(proxy.port)", "--tunnels", "3", "--seconds", "0.5",
                    "--watch", "\(proxy.process.pid)",
                ]).first)
            #expect(result["load"] as? String == kind)
            #expect(try #require(result["work"] as? Int) > 0)
            // In ticks of 10 ms: a short load may take less than one.
            #expect(try #require(result["cpuSeconds"] as? Double) >= 0)
        }

        @Test("idle tunnels are held, all of them, and cost two descriptors each")
        func idle() async throws {
            let proxy = try await CulvertProxyProcess()
            let result = try #require(
                try await Self.run([
                    "load", "idle", "--proxy", "\(proxy.port)", "--tunnels", "50", "--seconds", "0.2",
                    "--watch", "\(proxy.process.pid)",
                ]).first)
            #expect(try #require(result["descriptorsPerTunnel"] as? Double) == 2)
        }

        @Test("the generator answers its own HTTP requests where nothing stands between")
        func requests() async throws {
            let result = try #require(
                try await Self.run(["load", "requests", "--tunnels", "2", "--seconds", "0.2"]).first)
            #expect(try #require(result["work"] as? Int) > 0)
        }

        @Test("messages of both WebSocket loads come back from an echo server")
        func messages() async throws {
            let server = try await LeashedProcess([Self.path, "echo-server", "0", "--on-event-loop"])
            let port = try await server.port(after: "listening on ", in: server.output)
            let target = ["--websocket", "\(port)", "--watch", "\(server.pid)", "--seconds", "0.3"]
            let messages = try await Self.run(["load", "messages", "--bytes", "70000"] + target)
            #expect(try #require(messages.first?["work"] as? Int) > 0)
            // The connections are the server's, not the generator's own.
            let idle = try await Self.run(["load", "idle", "--tunnels", "20"] + target)
            #expect(idle.first?["descriptorsPerTunnel"] as? Double == 1)
            for options in [[], ["--on-event-loop"]] {
                let command = [Self.path, "echo-client", "ws://127.0.0.1:\(port)/", "--connections", "3"]
                let result = try await Command.run(
                    command + ["--seconds", "0.3"] + options, within: .seconds(120))
                #expect(result.status == 0, "\(result.errors)")
                let words = try #require(result.lines.last).split(separator: " ")
                #expect(result.lines.first == "start" && words.first == "stop")
                #expect(try #require(words.dropFirst().first.flatMap { Int($0) }) > 0)
            }
        }

        @Test("a proxy that is not there is an error, not a figure")
        func noProxy() async throws {
            let result = try await Command.run(
                [Self.path, "load", "download", "--proxy", "1", "--seconds", "0.1"], within: .seconds(60))
            #expect(result.status != 0)
            #expect(result.errors.contains("connecting to port 1"))
        }
    }
#endif
