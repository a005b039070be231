import CulvertInterop
import Foundation

/// A realm of MIT Kerberos on loopback with one user, one service and a key server, and a Squid that lets in who has
/// a ticket.
final class KerberosRealm: Sendable {
    static let name = "CULVERT.TEST"

    /// Of whatever asks for a ticket.
    let environment: [String: String]
    let proxy: String
    /// The keys of the service HTTP/localhost.
    let keyTable: String
    private let keyServer: LeashedProcess
    private let squid: LeashedProcess

    init() async throws {
        let directory = try Workspace.directory("kerberos")
        let path = { (name: String) in directory.appendingPathComponent(name).path }
        let port = try LoopbackPort.free()
        try Workspace.write(Self.client(port: port), to: directory.appendingPathComponent("krb5.conf"))
        try Workspace.write(
            Self.server(port: port, directory: directory.path),
            to: directory.appendingPathComponent("kdc.conf"))
        let environment = [
            "KRB5_CONFIG": path("krb5.conf"), "KRB5_KDC_PROFILE": path("kdc.conf"),
            "KRB5CCNAME": "FILE:\(path("tickets"))", "KRB5RCACHETYPE": "none",
            // The service of the key server is no user's program everywhere.
            "PATH": (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/sbin",
        ]
        self.environment = environment
        try await Command.check(
            ["kdb5_util", "create", "-s", "-r", Self.name, "-P", "master"], environment: environment)
        for query in [
            "addprinc -pw secret alice", "addprinc -randkey HTTP/localhost",
            "ktadd -k \(path("keytab")) HTTP/localhost",
        ] {
            try await Command.check(["kadmin.local", "-r", Self.name, "-q", query], environment: environment)
        }
        self.keyTable = path("keytab")
        // Squid reads it as nobody.
        chmod(path("keytab"), 0o644)
        self.keyServer = try await LeashedProcess(["krb5kdc", "-n"], environment: environment)
        try await self.keyServer.accepts(on: port)
        try await Command.check(["kinit", "alice"], environment: environment, input: Array("secret\n".utf8))
        let server = try await Self.squid(keyTable: path("keytab"), environment: environment)
        self.squid = server.process
        // The ticket is for a name.
        self.proxy = "http://localhost:\(server.port)"
    }

    /// One more that lets in who has a ticket, and has these rules besides.
    func squid(rules: String) async throws -> ProxyServers.Server {
        try await Self.squid(rules: rules, keyTable: self.keyTable, environment: self.environment)
    }

    private static func squid(
        rules: String = "", keyTable: String, environment: [String: String]
    ) async throws -> ProxyServers.Server {
        try await ProxyServers.squid(
            authentication: """
                auth_param negotiate program /usr/lib/squid/negotiate_kerberos_auth -k \(keyTable) -s HTTP/localhost@\(self.name)
                auth_param negotiate children 2 startup=1
                acl permitted proxy_auth REQUIRED
                \(rules)
                """,
            environment: environment)
    }

    private static func client(port: Int) -> String {
        """
        [libdefaults]
            default_realm = \(Self.name)
            dns_lookup_kdc = false
            dns_lookup_realm = false
            dns_canonicalize_hostname = false
            rdns = false
        [realms]
            \(Self.name) = {
                kdc = 127.0.0.1:\(port)
            }
        [domain_realm]
            localhost = \(Self.name)

        """
    }

    private static func server(port: Int, directory: String) -> String {
        """
        [kdcdefaults]
            kdc_listen = 127.0.0.1:\(port)
            kdc_tcp_listen = 127.0.0.1:\(port)
        [realms]
            \(Self.name) = {
                database_name = \(directory)/principal
                key_stash_file = \(directory)/stash
                acl_file = \(directory)/acl
            }

        """
    }
}
