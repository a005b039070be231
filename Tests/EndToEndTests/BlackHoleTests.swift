import CulvertInterop
import Foundation
import Testing

#if os(Linux)
    /// Proxies from which nothing comes back, not even a refusal.
    @Suite("a proxy that drops packets", .timeLimit(.minutes(3)), .requires(.python3, .curl))
    struct BlackHoleTests {
        @Test("culvert connect gives it a share of the time, says so, and takes the next way")
        func connect() async throws {
            let hole = try BlackHole()
            let origin = try await ObedientOrigin(greeting: "hello")
            let proxy = try await CulvertProxyProcess()
            let result = try await CulvertCommand.run([
                "connect", "127.0.0.1:\(origin.port)", "--route", "* \(hole.url), \(proxy.url)",
                "--open-timeout", "6",
            ])
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.text == "hello")
            #expect(
                result.errors.contains(
                    "no answer from 127.0.0.1:\(hole.port) within 3.0 s; trying \(proxy.url)"),
                "\(result.errors)")
        }

        @Test("where no way is left the error tells of each, and the status is that of a time-out")
        func noneLeft() async throws {
            let (first, second) = (try BlackHole(), try BlackHole())
            let result = try await CulvertCommand.run([
                "connect", "127.0.0.1:1", "--route", "* \(first.url), \(second.url)", "--open-timeout", "2",
            ])
            #expect(result.status == 7, "\(result.errors)")
            #expect(
                result.errors.contains("no answer from 127.0.0.1:\(second.port) within"), "\(result.errors)")
            #expect(
                result.errors.contains(
                    "tried before: \(first.url): no answer from 127.0.0.1:\(first.port) within 1.0 s"),
                "\(result.errors)")
        }

        @Test("culvert proxy passes over it once, and keeps away from it for five minutes")
        func proxy() async throws {
            let hole = try BlackHole()
            let plain = try await FileServer(["page": "plain\n"])
            let origin = try await ObedientOrigin(greeting: "hello")
            let parent = try await CulvertProxyProcess()
            let proxy = try await CulvertProxyProcess([
                "--route", "* \(hole.url), \(parent.url)", "--connect-timeout", "6s", "--admin",
                "127.0.0.1:0",
            ])
            let tunnel = try await CulvertCommand.run([
                "connect", "127.0.0.1:\(origin.port)", "--proxy", proxy.url,
            ])
            #expect(tunnel.text == "hello", "\(tunnel.errors)")
            for _ in 0..<3 {
                let page = try await Command.run(["curl", "-sS", "-x", proxy.url, plain.url("/page")])
                #expect(page.text == "plain\n", "\(page.errors)")
            }
            #expect(try await proxy.logLine(for: "127.0.0.1:\(origin.port)").parent == parent.url)
            // Only the first of the four has waited.
            let told = proxy.process.errors.lines.filter { $0.contains("a parent cannot be reached") }
            #expect(told.count == 1, "\(told)")
            #expect(
                told.first?.contains("no answer from 127.0.0.1:\(hole.port) within 3.0 s") == true, "\(told)")
            try await self.expectAvoided(hole, by: proxy)
        }

        private func expectAvoided(_ hole: BlackHole, by proxy: CulvertProxyProcess) async throws {
            struct Status: Decodable {
                struct Parent: Decodable {
                    var parent: String
                    var avoidedFor: Double?
                }
                var parents: [Parent]
            }
            let admin = "http://127.0.0.1:\(try await proxy.adminPort())"
            let json = try await Command.check(["curl", "-sS", "\(admin)/status.json"]).text
            let status = try JSONDecoder().decode(Status.self, from: Data(json.utf8))
            let left = status.parents.first { $0.parent == hole.url }?.avoidedFor ?? 0
            #expect((200...300).contains(left), "\(json)")
        }

        @Test("culvert proxy answers 504 where no way is left, by tunnel and by plain request")
        func timeout() async throws {
            let hole = try BlackHole()
            let proxy = try await CulvertProxyProcess([
                "--upstream", hole.url, "--connect-timeout", "1s",
            ])
            for target in ["http://192.0.2.1/", "https://192.0.2.1/"] {
                let result = try await Command.run(["curl", "-sv", "-x", proxy.url, target])
                #expect(result.errors.contains("504 Gateway Timeout"), "\(result.errors)")
                #expect(result.errors.contains("error=connection_timeout"), "\(result.errors)")
            }
            let line = try await proxy.logLine(for: "192.0.2.1:443")
            #expect(line.status == 504)
            #expect(line.reason?.contains("no answer from 127.0.0.1:\(hole.port) within 1.0 s") == true)
        }

        @Test("culvert doctor names it, and the way that is taken then")
        func doctor() async throws {
            let hole = try BlackHole()
            let origin = try await ObedientOrigin(greeting: "hello")
            let proxy = try await CulvertProxyProcess()
            let target = "http://127.0.0.1:\(origin.port)/"
            let passed = try await CulvertCommand.run([
                "doctor", target, "--route", "* \(hole.url), \(proxy.url)", "--open-timeout", "4",
            ])
            #expect(passed.status == 0, "\(passed.text)\(passed.errors)")
            #expect(
                passed.text.contains("no answer from 127.0.0.1:\(hole.port) within 4.0 s"), "\(passed.text)")
            #expect(passed.text.contains("the next way is tried"), "\(passed.text)")
            let failed = try await CulvertCommand.run([
                "doctor", target, "--proxy", hole.url, "--open-timeout", "1",
            ])
            #expect(failed.status == 12, "\(failed.text)")
            #expect(
                failed.text.contains("no answer from 127.0.0.1:\(hole.port) within 1.0 s"), "\(failed.text)")
        }
    }
#endif
