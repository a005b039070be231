import CulvertInterop
import Foundation
import Testing

/// Where `culvert proxy` refuses to go, seen from a client that wants to go there.
@Suite("the guard of culvert proxy", .serialized, .timeLimit(.minutes(2)))
struct ProxyGuardTests {
    private func status(_ target: String, _ proxy: CulvertProxyProcess) async throws -> String {
        let connection = try await proxy.connect()
        try await connection.send("CONNECT \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try await connection.receive(until: "\r\n\r\n")
        await connection.close()
        return String(answer.prefix(12))
    }

    /// Every spelling of a place that only this machine or its network should reach.
    static let special = [
        "127.0.0.1", "127.0.0.1.", "127.255.255.254", "localhost", "LOCALHOST", "localhost.", "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1",
        "192.168.1.1",
        "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::]", "[::1]", "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001::1]",
    ]

    private static let guarded = Task { try await CulvertProxyProcess(["--guard", "on"]) }

    @Test("a special address is a 403 by every spelling", arguments: special)
    func refused(host: String) async throws {
        let proxy = try await Self.guarded.value
        let origin = try await ObedientOrigin()
        let target = "\(host):\(origin.port)"
        #expect(try await self.status(target, proxy) == "HTTP/1.1 403")
        #expect(origin.accepted == 0)
        var found: CulvertProxyProcess.LogLine?
        try await eventually("the access-log line") {
            found = try proxy.log().last { $0.target?.hasSuffix(":\(origin.port)") == true }
            return found != nil
        }
        let line = try #require(found)
        #expect(line.decision == "deny")
        #expect(line.reason?.isEmpty == false)
    }

    @Test(
        "the guard holds when a parent is used", arguments: ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
    func parent(host: String) async throws {
        let parent = try await OwnProxies.shared.open()
        let proxy = try await CulvertProxyProcess(["--guard", "on", "--upstream", parent.url])
        let origin = try await ObedientOrigin()
        #expect(try await self.status("\(host):\(origin.port)", proxy) == "HTTP/1.1 403")
        #expect(origin.accepted == 0)
    }

    @Test("a listener on every address is guarded unless told otherwise", arguments: [true, false])
    func wildcard(isTold: Bool) async throws {
        let proxy = try await CulvertProxyProcess(
            ["--listen", "0.0.0.0:0"] + (isTold ? ["--guard", "off"] : []))
        let origin = try await ObedientOrigin()
        let expected = isTold ? "HTTP/1.1 200" : "HTTP/1.1 403"
        #expect(try await self.status("127.0.0.1:\(origin.port)", proxy) == expected)
    }

    @Test("only the ports that are allowed are reached")
    func ports() async throws {
        let allowed = try await ObedientOrigin()
        let other = try await ObedientOrigin()
        let proxy = try await CulvertProxyProcess(["--connect-port", "\(allowed.port)"])
        #expect(try await self.status("127.0.0.1:\(allowed.port)", proxy) == "HTTP/1.1 200")
        #expect(try await self.status("127.0.0.1:\(other.port)", proxy) == "HTTP/1.1 403")
        #expect(other.accepted == 0)
    }
}
