import CulvertInterop
import Testing

/// `culvert connect` and `culvert ws` through SOCKS servers of other makers.
@Suite(
    "SOCKS proxies of other makers", .serialized, .timeLimit(.minutes(3)),
    .requires(.microsocks, .danted, .openssl, .python3))
struct SOCKSHopTests {
    private func connect(
        _ target: String, _ proxies: [String], _ arguments: [String] = [], environment: [String: String] = [:]
    ) async throws -> CommandResult {
        try await CulvertCommand.run(
            ["connect", target] + proxies.flatMap { ["--proxy", $0] } + arguments, environment: environment,
            input: "LATE! question")
    }

    @Test(
        "a tunnel stands, what the server says first is heard, and its end ends the command",
        arguments: [
            (SOCKSServers.Kind.microsocks, "socks5"), (.microsocks, "socks5h"), (.microsocksUsers, "socks5h"),
            (.dante, "socks5"), (.dante, "socks5h"),
        ])
    func tunnel(kind: SOCKSServers.Kind, scheme: String) async throws {
        let origin = try await ObedientOrigin(greeting: "220 ready\r\n")
        let server = try await SOCKSServers.shared.server(kind)
        // microsocks ends a tunnel at the first end of either side, so ours stays open.
        let process = try ChildProcess(
            [CulvertCommand.path, "connect", "localhost:\(origin.port)", "--proxy", server.url(scheme)],
            input: .open)
        try await eventually("the greeting") { process.output.text == "220 ready\r\n" }
        try process.write(Array("FIN!".utf8))
        #expect(try await process.exit(within: .seconds(10)) == 0, "\(process.errors.text)")
        #expect(origin.received == "FIN!")
    }

    @Test("all_proxy names one", arguments: ["socks5h", "socks5"])
    func environment(scheme: String) async throws {
        let origin = try await ObedientOrigin(greeting: "220 ready\r\n")
        let server = try await SOCKSServers.shared.server(.microsocksUsers)
        let result = try await CulvertCommand.run(
            ["connect", "localhost:\(origin.port)"],
            environment: ["all_proxy": server.url(scheme), "no_proxy": "<-loopback>"], input: "FIN!")
        #expect(result.status == 0, "\(result.errors)")
        // By socks5h it hears the name, by socks5 the address.
        let heard = scheme == "socks5h" ? "localhost" : "127.0.0.1"
        #expect(
            server.process.errors.text.contains("\(heard):\(origin.port)"), "\(server.process.errors.text)")
    }

    @Test(
        "TLS and a WebSocket run inside, through chains with HTTP proxies in either order",
        .requires(.squid, .node), arguments: [[0], [0, 1], [1, 0], [2, 0], [0, 2, 0]])
    func chains(order: [Int]) async throws {
        let certificates = try await TestCertificates.shared()
        let socks = try await SOCKSServers.shared.server(.microsocksUsers).url("socks5h")
        let http = try await OwnProxies.shared.open().url
        let tls = try await ProxyServers.shared.server(.squidTLS).url + "?ca=\(certificates.authority)"
        let origin = try await Origins.shared.webSocket(.nodeTLS)
        let proxies = order.flatMap { ["--proxy", [socks, http, tls][$0]] }
        let result = try await CulvertCommand.run(
            ["ws", origin.url("/echo"), "--ca", certificates.authority] + proxies, input: "hello\n")
        #expect(result.text == "hello\n", "\(result.errors)")
    }

    @Test("a wrong password, and none, are told")
    func credentials() async throws {
        let server = try await SOCKSServers.shared.server(.microsocksUsers)
        for (credentials, words) in [
            ("alice:hunter2", "rejects the user name or password"), ("", "wants authentication"),
        ] {
            let url = server.url("socks5h", credentials: credentials)
            let result = try await self.connect("localhost:1", [url])
            #expect(result.status == 4, "\(result.errors)")
            #expect(result.errors.contains(words), "\(result.errors)")
            #expect(result.errors.contains("SOCKS at proxy socks5h://127.0.0.1:"), "\(result.errors)")
            #expect(!result.errors.contains("hunter2"))
        }
    }

    @Test(
        "a port nobody listens on is told with the reply in words",
        arguments: [SOCKSServers.Kind.microsocks, .dante])
    func refused(kind: SOCKSServers.Kind) async throws {
        let server = try await SOCKSServers.shared.server(kind)
        let port = try LoopbackPort.free()
        let result = try await self.connect("127.0.0.1:\(port)", [server.url("socks5h")])
        #expect(result.status == 4, "\(result.errors)")
        #expect(result.errors.contains("connection refused (reply 5)"), "\(result.errors)")
    }

    @Test("culvert proxy goes out through one, and its client learns of a refusal as a 502", .requires(.curl))
    func upstream() async throws {
        let certificates = try await TestCertificates.shared()
        let server = try await SOCKSServers.shared.server(.microsocksUsers)
        let origin = try await Origins.shared.web()
        let proxy = try await CulvertProxyProcess(["--upstream", server.url("socks5h")])
        let curl = ["curl", "-sS", "-v", "--proxy", proxy.url, "--cacert", certificates.authority]
        let result = try await Command.run(curl + [origin.url("/hello")])
        #expect(result.text == "hello from the origin\n", "\(result.errors)")
        let refused = try await Command.run(curl + ["https://127.0.0.1:\(try LoopbackPort.free())/"])
        #expect(refused.errors.contains("< HTTP/1.1 502"), "\(refused.errors)")
    }
}
