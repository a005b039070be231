import NIOCore
import NIOPosix
import ProxyAuth
import Testing

@testable import CulvertProxy

@Suite("Users with hashed passwords")
struct AuthenticatorTests {
    private static let file = """
        bcrypt:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
        sha256:$5$rounds=1000$salt$CCvcOM6b7TEJDPb37Aec/9UpOg4QhPNAxPpL9ZzjTB7
        sha512:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1
        """

    private func authenticator() throws -> Authenticator {
        let configuration = try ProxyConfiguration { $0.users = try UserTable(parsing: Self.file) }
        return try #require(Authenticator(configuration))
    }

    private static func value(_ user: String, _ password: String) throws -> AuthorizationField {
        let credentials = ProxyCredentials(user: user, password: Secret(password))
        return try #require(BasicScheme.authorization(for: credentials).flatMap { AuthorizationField($0) })
    }

    @Test("without users or tokens nobody is asked")
    func open() {
        #expect(Authenticator(ProxyConfiguration()) == nil)
    }

    @Test(
        "the system's crypt checks bcrypt and sha-crypt; the second time the answer is at hand",
        .enabled(if: SystemCrypt.supports("$6$rounds=1000$probe$"), "this system's crypt has no sha-crypt"),
        arguments: ["bcrypt", "sha256", "sha512"])
    func hashes(user: String) async throws {
        let authenticator = try self.authenticator()
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        for _ in 0..<2 {
            let right = try Self.value(user, "secret")
            #expect(try await authenticator.authenticate(right, on: loop).get() == .user(user))
            for wrong in ["Secret", "", "secret ", String(repeating: "x", count: 600)] {
                let value = try Self.value(user, wrong)
                let outcome = try await authenticator.authenticate(value, on: loop).get()
                #expect(outcome == .unknown)
            }
            let unknown = try Self.value("nobody", "secret")
            #expect(try await authenticator.authenticate(unknown, on: loop).get() == .unknown)
        }
    }

    @Test("equal credentials that come together are checked together")
    func together() async throws {
        let authenticator = try self.authenticator()
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let value = try Self.value("sha512", "secret")
        let futures = (0..<500).map { _ in authenticator.authenticate(value, on: loop) }
        for future in futures { #expect(try await future.get() == .user("sha512")) }
    }

    @Test("more different passwords than can be checked are turned away")
    func overload() async throws {
        let authenticator = try self.authenticator()
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let futures = try (0..<1000).map {
            authenticator.authenticate(try Self.value("sha512", "guess \($0)"), on: loop)
        }
        var counts: [Authenticator.Outcome: Int] = [:]
        for future in futures { counts[try await future.get(), default: 0] += 1 }
        #expect(counts[.overloaded, default: 0] > 0)
        #expect(counts[.unknown, default: 0] >= 128)
        #expect(counts.count == 2)
    }

    @Test("a password with a zero byte is not the one before the byte")
    func zeroByte() {
        #expect(SystemCrypt.hash("secret\0x", setting: "$5$rounds=1000$salt$") == nil)
    }
}
