import CulvertInterop
import Testing

/// A client certificate inside the tunnel, asked for by OpenSSL's own server.
@Suite("client certificates", .serialized, .timeLimit(.minutes(2)), .requires(.openssl, .python3))
struct ClientCertificateTests {
    /// `openssl s_server` that insists on a certificate of the test's authority and answers each line reversed.
    private func server(_ certificates: TestCertificates) async throws -> (process: LeashedProcess, port: Int)
    {
        let port = try LoopbackPort.free()
        let process = try await LeashedProcess([
            "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificates.certificate, "-key",
            certificates.key, "-CAfile", certificates.authority, "-Verify", "2", "-verify_return_error",
            "-rev",
            "-quiet",
        ])
        try await process.accepts(on: port)
        return (process, port)
    }

    @Test("it is shown when asked for", arguments: [Route.direct, .culvert, .culvertBasic])
    func shown(route: Route) async throws {
        let certificates = try await TestCertificates.shared()
        let (process, port) = try await self.server(certificates)
        let result = try await CulvertCommand.run(
            [
                "connect", "localhost:\(port)", "--tls", "--ca", certificates.authority, "--cert",
                certificates.certificate, "--key", certificates.key,
            ] + (try await route.arguments()),
            input: "abc\nCLOSE\n")
        #expect(result.text.hasPrefix("cba\n"), "\(result.errors) \(process.errors.text)")
        try await process.stop()
    }

    @Test("without one the server ends the connection, and that is told")
    func missing() async throws {
        let certificates = try await TestCertificates.shared()
        let (process, port) = try await self.server(certificates)
        let result = try await CulvertCommand.run(
            ["connect", "localhost:\(port)", "--tls", "--ca", certificates.authority, "--proxy", "none"],
            input: "abc\n")
        // In TLS 1.3 the server's refusal comes after the client's handshake is over.
        #expect(result.status == 1 || result.status == 5, "\(result.status)")
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("culvert connect: error:"), "\(result.errors)")
        try await process.stop()
    }

    @Test("a key that belongs to another certificate is told before anything is sent")
    func mismatch() async throws {
        let certificates = try await TestCertificates.shared()
        let result = try await CulvertCommand.run([
            "connect", "localhost:1", "--tls", "--cert", certificates.authority, "--key", certificates.key,
            "--proxy", "none",
        ])
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.errors.contains("TLS settings"), "\(result.errors)")
    }
}
