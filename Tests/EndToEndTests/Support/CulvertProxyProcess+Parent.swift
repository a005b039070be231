import CulvertInterop
import Testing

extension CulvertProxyProcess {
    /// curl goes through this parent to `localhost`, by tunnel and by request, and past it to 127.0.0.1.
    ///
    /// - Parameter plain: serves `/page` with the line `plain`.
    func expectParent(_ parent: String, web: Origins.Server, plain: FileServer) async throws {
        let certificates = try await TestCertificates.shared()
        let curl = ["curl", "-sS", "--max-time", "40", "--cacert", certificates.authority, "-x", self.url]
        let tunnel = try await Command.run(curl + [web.url("/hello")])
        #expect(tunnel.text.contains("hello from the origin"), "\(tunnel.errors)")
        #expect(try await self.logLine(for: web.authority).parent == parent)

        let page = "http://localhost:\(plain.port)/page"
        let forwarded = try await Command.run(curl + [page])
        #expect(forwarded.text == "plain\n", "\(forwarded.errors)")
        #expect(try await self.logLine(for: page).parent == parent)

        let direct = try await Command.run(curl + [plain.url("/page")])
        #expect(direct.text == "plain\n", "\(direct.errors)")
        #expect(try await self.logLine(for: plain.url("/page")).parent == nil)
    }
}
