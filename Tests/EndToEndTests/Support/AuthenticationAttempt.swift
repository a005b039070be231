import CulvertInterop
import Testing

/// Who goes through which proxy, and how: `culvert ws`, and curl as the second opinion.
struct AuthenticationAttempt {
    var proxy: String
    var user: String
    var password = "secret"
    /// curl's flag for the scheme.
    var scheme: String
    var arguments: [String] = []
    var environment: [String: String] = [:]

    /// With the credentials in it.
    private var url: String {
        if self.user.isEmpty { return self.proxy }
        let user = self.user.replacing("\\", with: "%5C")
        return self.proxy.replacing("://", with: "://\(user):\(self.password)@")
    }

    /// Runs both; what they say has to be the same.
    func culvertAndCurl() async throws -> CommandResult {
        let ours = try await self.culvert()
        let theirs = try await self.curl(Origins.shared.web().url("/hello"), "-p")
        #expect(
            (ours.status == 0) == (theirs.status == 0),
            "ours: \(ours.status) \(ours.errors); curl: \(theirs.status) \(theirs.errors)")
        if ours.status == 0 { #expect(ours.text.contains("through")) }
        return ours
    }

    func culvert() async throws -> CommandResult {
        let server = try await Origins.shared.webSocket(.node)
        return try await CulvertCommand.run(
            ["ws", server.url("/echo"), "--proxy", self.url] + self.arguments,
            environment: self.environment, input: "through\n")
    }

    func curl(_ arguments: String...) async throws -> CommandResult {
        let certificates = try await TestCertificates.shared()
        return try await Command.run(
            [
                "curl", "-sS", "--max-time", "20", "--cacert", certificates.authority, "--proxy-cacert",
                certificates.authority, self.scheme, "--proxy-user", "\(self.user):\(self.password)", "-x",
                self.proxy,
            ] + arguments, environment: self.environment)
    }
}
