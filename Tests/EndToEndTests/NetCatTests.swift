import CulvertInterop
import Foundation
import Testing

/// The example program on the library's public API.
@Suite("the netcat example", .timeLimit(.minutes(2)))
struct NetCatTests {
    private static var program: String {
        URL(fileURLWithPath: CulvertCommand.path).deletingLastPathComponent().appendingPathComponent("netcat")
            .path
    }

    @Test("through Squid with Basic: bytes go both ways until the far end ends", .requires(.squid, .openssl))
    func throughSquid() async throws {
        let proxy = try await ProxyServers.shared.server(.squidBasic)
        let origin = try await ObedientOrigin(greeting: "220 ready\r\n")
        let process = try ChildProcess(
            [Self.program, "127.0.0.1:\(origin.port)", proxy.url], input: .open)
        try await eventually("the greeting") { process.output.text == "220 ready\r\n" }
        try process.write(Array("question".utf8))
        try await eventually("the echo") { process.output.text == "220 ready\r\nquestion" }
        try process.write(Array("FIN!".utf8))
        #expect(try await process.exit(within: .seconds(20)) == 0, "\(process.errors.text)")
        #expect(origin.received == "questionFIN!")
    }

    @Test("the end of input is passed on, and the answer behind it still read", .requires(.python3))
    func halfClose() async throws {
        let proxy = try await CulvertProxyProcess.authenticating()
        let origin = try await ObedientOrigin()
        let url = proxy.url.replacingOccurrences(of: "://", with: "://alice:secret@")
        let result = try await Command.run(
            [Self.program, "127.0.0.1:\(origin.port)", url], input: Array("LATE! question".utf8))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text == "after the end")
    }

    @Test("Squid refuses the wrong password, and the error shows none of it", .requires(.squid, .openssl))
    func wrongPassword() async throws {
        let proxy = try await ProxyServers.shared.server(.squidBasic)
        let result = try await Command.run(
            [Self.program, "127.0.0.1:9", proxy.url(credentials: "alice:wrongword@")], input: [])
        #expect(result.status == 1)
        #expect(result.errors.contains("rejects the user name or password"), "\(result.errors)")
        #expect(!result.errors.contains("wrongword"), "\(result.errors)")
    }
}
