import CulvertInterop
import Foundation
import Testing

/// Clients that use HTTP/2 to wear a server out.
@Suite(
    "attacks by HTTP/2", .serialized, .timeLimit(.minutes(5)), .requires(.openssl, .python3, .node),
    .enabled("needs python-h2: run Tests/install.sh") {
        let found = try await Command.run([PeerPython.path, "-c", "import h2"]).status == 0
        return found || Tool.areRequired
    })
struct HTTP2AttackTests {
    /// What Peers/http2_attack.py tells.
    private struct Outcome: Decodable {
        var sent: Int
        /// Its code, where one came.
        var goaway: Int?
        /// The codes of RST_STREAM.
        var resets: [Int]
        /// Whether the server ended the connection.
        var closed: Bool
    }

    private static let compressionError = 9
    private static let enhanceYourCalm = 11

    private func attack(
        _ proxy: CulvertProxyProcess, _ kind: String, count: Int, authority: String = "127.0.0.1:1",
        path: String = "/"
    ) async throws -> Outcome {
        let certificates = try await TestCertificates.shared()
        let result = try await Command.check(
            [
                PeerPython.path, Workspace.peer("http2_attack.py"), "\(proxy.port)", certificates.authority,
                kind, "\(count)", authority, path,
            ], within: .seconds(120))
        return try JSONDecoder().decode(Outcome.self, from: Data(result.output))
    }

    @Test("streams opened and reset at once end the connection; others go on, and nothing stays")
    func rapidReset() async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess.withTLS()
        let tunnel = try await proxy.tunnel(to: origin.port)
        let descriptors = proxy.descriptorCount
        var resident: [Int] = []
        for _ in 0..<3 {
            let outcome = try await self.attack(
                proxy, "reset", count: 200_000, authority: "127.0.0.1:\(origin.port)")
            #expect(outcome.goaway == Self.enhanceYourCalm)
            #expect(outcome.closed)
            // As many as it allows, and what was on its way when the end came.
            #expect((1000..<200_000).contains(outcome.sent), "\(outcome.sent)")
            resident.append(try proxy.residentKilobytes())
        }
        try await tunnel.send("still here")
        _ = try await tunnel.receive(until: "still here")
        await tunnel.close()
        let grown = (resident.last ?? 0) - (resident.first ?? 0)
        #expect(grown < 16 * 1024, "\(resident)")
        try await eventually("every descriptor is closed") {
            (proxy.descriptorCount ?? 0) < (descriptors ?? 0)
        }
    }

    @Test(
        "a flood of frames ends the connection, long before it is over",
        arguments: [
            ("continuation", enhanceYourCalm), ("ping", enhanceYourCalm), ("settings", enhanceYourCalm),
            ("priority", enhanceYourCalm), ("empty", enhanceYourCalm),
        ])
    func flood(kind: String, code: Int) async throws {
        let origin = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess.withTLS()
        let tunnel = try await proxy.tunnel(to: origin.port)
        let outcome = try await self.attack(
            proxy, kind, count: 200_000, authority: "127.0.0.1:\(origin.port)")
        #expect(outcome.goaway == code)
        #expect(outcome.closed)
        #expect(outcome.sent < 200_000)
        try await tunnel.send("still here")
        _ = try await tunnel.receive(until: "still here")
    }

    @Test("a head that is small on the wire and large behind HPACK is not unpacked without end")
    func bomb() async throws {
        let proxy = try await CulvertProxyProcess.withTLS()
        let before = try proxy.residentKilobytes()
        let outcome = try await self.attack(proxy, "head", count: 12_000)
        #expect(outcome.goaway == Self.compressionError)
        #expect(outcome.closed)
        #expect(try proxy.residentKilobytes() - before < 16 * 1024)
    }

    @Test("a window beyond the largest is an error of the connection")
    func window() async throws {
        let flowControlError = 3
        let outcome = try await self.attack(try await CulvertProxyProcess.withTLS(), "increment", count: 10)
        #expect(outcome.goaway == flowControlError)
        #expect(outcome.closed)
    }

    @Test("answers that nobody takes are given up in time, and hold little memory until then")
    func heldWindow() async throws {
        let origin = try await LeashedProcess([
            PeerPython.path, Workspace.peer("origin.py"), try Workspace.directory("git").path,
        ])
        let proxy = try await CulvertProxyProcess.withTLS(["--body-timeout", "2s"])
        let before = try proxy.residentKilobytes()
        let outcome = try await self.attack(
            proxy, "window", count: 50, authority: "127.0.0.1:\(try await origin.readyPort())",
            path: "/bytes/50000000")
        #expect(outcome.closed || outcome.resets.count == 50, "\(outcome)")
        #expect(try proxy.residentKilobytes() - before < 32 * 1024)
    }
}
