import CulvertInterop
import Foundation
import Testing

/// slowhttptest attacks `culvert proxy` with three hundred connections while others ask for something.
@Suite("slow clients", .serialized, .timeLimit(.minutes(4)), .requires(.curl, .python3, .slowhttptest))
struct SlowClientTests {
    @Test(
        "heads, bodies and readers that crawl leave the proxy to the others, and are ended in time",
        arguments: [
            (attack: ["-H", "-i", "1"], path: "/hello"),
            (attack: ["-B", "-i", "1", "-s", "100000"], path: "/sink"),
            (attack: ["-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32"], path: "/bytes/1000000"),
        ])
    func attacked(attack: [String], path: String) async throws {
        let origin = try await Origins.startPlainWeb()
        let proxy = try await CulvertProxyProcess([
            "--head-timeout", "4s", "--body-timeout", "4s", "--idle-timeout", "4s",
        ])
        let url = "http://127.0.0.1:\(origin.port)"
        // What the attacked origin has no time for is not the proxy's fault: the others ask another one.
        let other = try await Origins.startPlainWeb()
        let before = try #require(proxy.descriptorCount)
        let attacker = try await LeashedProcess(
            ["slowhttptest"] + attack + [
                "-c", "300", "-r", "150", "-l", "8", "-p", "10", "-u", url + path, "-d",
                "127.0.0.1:\(proxy.port)",
            ])
        try await eventually("the attack runs") { (proxy.descriptorCount ?? 0) > before + 150 }
        for _ in 0..<10 {
            let result = try await Command.run([
                "curl", "-sS", "--max-time", "10", "--proxy", proxy.url, other.url("/hello"),
            ])
            #expect(result.text == "hello from the origin\n", "\(result.errors)")
            try await Task.sleep(for: .milliseconds(300))
        }
        _ = try await attacker.exit(within: .seconds(60))
        #expect(!attacker.output.text.contains("service available:   NO"), "\(attacker.output.text)")
        try await eventually("every connection is ended", within: .seconds(60)) {
            (proxy.descriptorCount ?? .max) <= before + 10
        }
    }
}
