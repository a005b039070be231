import CulvertInterop
import Foundation

/// A certificate authority of this run, a leaf for localhost and 127.0.0.1, and an authority nobody asked.
struct TestCertificates: Sendable {
    let authority: String
    let certificate: String
    let key: String
    /// Signs nothing that any peer uses: trusting only it must fail.
    let otherAuthority: String

    private static let minted = Task { try await mint() }

    static func shared() async throws -> TestCertificates { try await self.minted.value }

    private static func mint() async throws -> TestCertificates {
        let directory = try Workspace.directory("certificates")
        func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

        for name in ["ca", "other"] {
            try await Command.check([
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-keyout", path("\(name).key"), "-out", path("\(name).pem"),
                "-subj", "/CN=Culvert test \(name)", "-addext", "keyUsage=critical,keyCertSign",
            ])
        }
        try await Command.check([
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", path("leaf.key"), "-out", path("leaf.csr"), "-subj", "/CN=localhost",
        ])
        let extensions = """
            subjectAltName=DNS:localhost,IP:127.0.0.1
            basicConstraints=CA:FALSE
            extendedKeyUsage=serverAuth,clientAuth
            """
        try Workspace.write(extensions, to: directory.appendingPathComponent("extensions"))
        try await Command.check([
            "openssl", "x509", "-req", "-in", path("leaf.csr"), "-CA", path("ca.pem"), "-CAkey",
            path("ca.key"),
            "-CAcreateserial", "-days", "2", "-extfile", path("extensions"), "-out", path("leaf.pem"),
        ])
        // Squid reads it as nobody.
        chmod(path("leaf.key"), 0o644)
        return TestCertificates(
            authority: path("ca.pem"), certificate: path("leaf.pem"), key: path("leaf.key"),
            otherAuthority: path("other.pem"))
    }
}
