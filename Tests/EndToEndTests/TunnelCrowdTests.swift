import CulvertInterop
import Foundation
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// As many tunnels as there are descriptors for, at most ten thousand.
@Suite("a crowd of tunnels through culvert proxy", .serialized, .timeLimit(.minutes(5)))
struct TunnelCrowdTests {
    /// Each takes two descriptors here and two of the proxy.
    private static var count: Int {
        var limit = rlimit()
        #if canImport(Glibc)
            _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
            _ = getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        let descriptors = Int(clamping: limit.rlim_cur)
        return min(10_000, max(100, (descriptors - 1000) / 2))
    }

    private static func figures(of proxy: CulvertProxyProcess) async throws -> String {
        try await Command.check(["curl", "-sS", "http://127.0.0.1:\(try await proxy.adminPort())/metrics"])
            .text
    }

    @Test(
        "torn down at once, in every way, all are told of and leave nothing behind",
        arguments: ["auto", "splice", "copy"])
    func tornDown(relay: String) async throws {
        let proxy = try await CulvertProxyProcess(["--relay", relay, "--admin", "127.0.0.1:0"])
        let before = proxy.descriptorCount ?? 0
        let count = Self.count
        try await onThread {
            let listener = try BlockingSocket.listening()
            let tunnels = try (0..<count).map { _ in try listener.tunnel(through: proxy.port) }
            for (index, tunnel) in tunnels.enumerated() {
                switch index % 4 {
                case 0: tunnel.client.close()
                case 1: tunnel.origin.close()
                case 2: tunnel.client.reset()
                default: tunnel.origin.reset()
                }
            }
            for (index, tunnel) in tunnels.enumerated() {
                let other = index % 2 == 0 ? tunnel.origin : tunnel.client
                // Its end, or its reset.
                _ = try? other.receive()
                other.close()
            }
            listener.close()
        }
        do {
            try await eventually("every tunnel is logged", within: .seconds(60)) {
                proxy.process.output.lineCount >= count
            }
        } catch {
            let figures = try await Self.figures(of: proxy)
            Issue.record(
                """
                \(proxy.process.output.lineCount) of \(count) are logged; \(proxy.descriptorCount ?? -1) \
                descriptors, \(before) before; standard error: \(proxy.process.errors.text.suffix(1000)); \
                \(figures.split(separator: "\n").filter { $0.contains("open ") })
                """)
            throw error
        }
        let log = try proxy.log()
        #expect(log.count == count)
        #expect(log.filter { $0.status == 200 && $0.bytesUp == 0 && $0.bytesDown == 0 }.count == count)
        #expect(log.filter { $0.closedBy == "origin" }.count == count / 2)
        #expect(log.filter { $0.reason == "reset" }.count == count / 2)
        try await eventually("every descriptor comes back", within: .seconds(30)) {
            (proxy.descriptorCount ?? 0) <= before + 8
        }
        let metrics = try await Self.figures(of: proxy)
        for gauge in ["culvert_connections_open 0", "culvert_tunnels_open 0"] {
            #expect(metrics.contains(gauge), "\(metrics)")
        }
    }
}
