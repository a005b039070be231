import CulvertInterop
import Testing

/// `culvert connect` as one tunnel between its own input and output.
@Suite("culvert connect", .serialized, .timeLimit(.minutes(2)))
struct ConnectCommandTests {
    @Test(
        "the end of input is passed on, and the answer behind it still read",
        .requires(.squid, .tinyproxy, .apache2, .openssl),
        arguments: [Route.direct, .culvert, .culvertBasic, .apache])
    func halfClose(route: Route) async throws {
        let origin = try await ObedientOrigin()
        let result = try await CulvertCommand.run(
            ["connect", "127.0.0.1:\(origin.port)"] + (try await route.arguments()), input: "LATE! question")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text == "after the end")
        #expect(origin.received == "LATE! question")
    }

    @Test("a server that speaks first is heard", arguments: [Route.direct, .culvert, .culvertBasic])
    func greeting(route: Route) async throws {
        let origin = try await ObedientOrigin(greeting: "220 ready\r\n")
        let result = try await CulvertCommand.run(
            ["connect", "127.0.0.1:\(origin.port)"] + (try await route.arguments()), input: "")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text == "220 ready\r\n")
    }

    @Test(
        "it ends when the other side has, although its own input is still open",
        arguments: [Route.direct, .culvert])
    func otherSideEnds(route: Route) async throws {
        let origin = try await ObedientOrigin(greeting: "220 ready\r\n")
        let process = try ChildProcess(
            [CulvertCommand.path, "connect", "127.0.0.1:\(origin.port)"] + (try await route.arguments()),
            input: .open)
        try await eventually("the greeting") { process.output.text == "220 ready\r\n" }
        try process.write(Array("FIN!".utf8))
        #expect(try await process.exit(within: .seconds(10)) == 0, "\(process.errors.text)")
    }

    @Test(
        "--tls speaks TLS to the target inside the tunnel", .requires(.python3, .openssl),
        arguments: [Route.direct, .culvert])
    func tls(route: Route) async throws {
        let certificates = try await TestCertificates.shared()
        let origin = try await Origins.shared.web()
        let request = "GET /hello HTTP/1.1\r\nHost: \(origin.authority)\r\nConnection: close\r\n\r\n"
        let result = try await CulvertCommand.run(
            ["connect", origin.authority, "--tls", "--ca", certificates.authority]
                + (try await route.arguments()),
            input: request)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text.hasPrefix("HTTP/1.1 200"))
        #expect(result.text.hasSuffix("hello from the origin\n"))
        let untrusting = try await CulvertCommand.run(
            ["connect", origin.authority, "--tls", "--ca", certificates.otherAuthority]
                + (try await route.arguments()),
            input: request)
        #expect(untrusting.status == 5, "\(untrusting.errors)")
        #expect(untrusting.output.isEmpty)
    }

    @Test("nothing to connect to is exit code 3", arguments: ["nonexistent.invalid:443", "127.0.0.1"])
    func nobodyThere(host: String) async throws {
        let target = host.contains("invalid") ? host : "\(host):\(try LoopbackPort.free())"
        let result = try await CulvertCommand.run(["connect", target, "--proxy", "none"])
        #expect(result.status == 3, "\(result.errors)")
        #expect(result.errors.hasPrefix("culvert connect: error:"), "\(result.errors)")
        #expect(result.errors.contains(target.prefix { $0 != ":" }), "\(result.errors)")
    }
}
