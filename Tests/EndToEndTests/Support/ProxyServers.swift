import CulvertInterop
import Foundation

/// The real proxies, each started at first use and shared by the whole run; the leash ends them with it.
actor ProxyServers {
    /// The proxies that are not ours.
    enum Kind: String, CaseIterable, Sendable {
        case squid
        case squidBasic = "squid with Basic"
        case squidTLS = "squid behind TLS"
        case tinyproxy
        case tinyproxyBasic = "tinyproxy with Basic"
        case apache
        case squidDigest = "squid with Digest"
        case apacheDigest = "apache with Digest"
    }

    struct Server: Sendable {
        let kind: Kind
        let port: Int
        let process: LeashedProcess
        let directory: URL

        /// With the right credentials where some are needed.
        var url: String { self.url(credentials: self.needsCredentials ? "alice:secret@" : "") }

        var needsCredentials: Bool { self.kind == .squidBasic || self.kind == .tinyproxyBasic }

        func url(credentials: String) -> String {
            let scheme = self.kind == .squidTLS ? "https" : "http"
            return "\(scheme)://\(credentials)localhost:\(self.port)"
        }
    }

    static let shared = ProxyServers()

    private var servers: [Kind: Task<Server, any Error>] = [:]

    func server(_ kind: Kind) async throws -> Server {
        if let task = self.servers[kind] { return try await task.value }
        let task = Task { try await Self.start(kind) }
        self.servers[kind] = task
        return try await task.value
    }

    private static func start(_ kind: Kind) async throws -> Server {
        let directory = try Workspace.directory(kind.rawValue.split(separator: " ").joined(separator: "-"))
        let port = try LoopbackPort.free()
        let configuration = directory.appendingPathComponent("conf")
        let command: [String]
        switch kind {
        case .squid, .squidBasic, .squidTLS, .squidDigest:
            let lines = try await self.squid(kind, port: port, directory: directory.path)
            return try await self.startSquid(kind, lines, port: port, directory: directory)
        case .tinyproxy, .tinyproxyBasic:
            try Workspace.write(
                self.tinyproxy(authenticates: kind == .tinyproxyBasic, port: port, directory: directory.path),
                to: configuration)
            command = ["tinyproxy", "-d", "-c", configuration.path]
        case .apache, .apacheDigest:
            let authentication =
                kind == .apache
                ? "Require all granted" : try await self.apacheDigest(directory: directory.path)
            try Workspace.write(
                self.apache(port: port, directory: directory.path, authentication), to: configuration)
            command = ["apache2", "-X", "-f", configuration.path]
        }
        let process = try await LeashedProcess(command, rights: .nobody)
        try await process.accepts(on: port)
        return Server(kind: kind, port: port, process: process, directory: directory)
    }

    /// A Squid of one test: with these lines, which say who is `permitted`.
    static func squid(authentication: String, environment: [String: String]) async throws -> Server {
        let port = try LoopbackPort.free()
        return try await self.startSquid(
            .squid, "http_port 127.0.0.1:\(port)\n\(authentication)", port: port,
            directory: try Workspace.directory("squid-\(port)"), environment: environment)
    }

    /// As Squid is delivered: tunnels are for the port of https.
    static let tunnelsOnlyToTLS = """
        acl SSL_ports port 443
        http_access deny CONNECT !SSL_ports
        """

    /// One that asks for Digest, with the rule of ``tunnelsOnlyToTLS``.
    static func strictDigestSquid() async throws -> Server {
        let users = try Workspace.directory("squid-digest-users")
        try await self.writeDigestUsers(directory: users.path)
        let program = "/usr/lib/squid/digest_file_auth -c \(users.path)/users"
        return try await self.squid(
            authentication: (self.squidUsers("digest", program) + [self.tunnelsOnlyToTLS])
                .joined(separator: "\n"),
            environment: [:])
    }

    private static func startSquid(
        _ kind: Kind, _ lines: String, port: Int, directory: URL, environment: [String: String] = [:]
    ) async throws -> Server {
        let configuration = directory.appendingPathComponent("conf")
        try Workspace.write(lines + "\n" + self.squidCommon(directory: directory.path), to: configuration)
        // Two Squids of one name collide in shared memory.
        let process = try await LeashedProcess(
            ["squid", "-n", "culvert\(port)", "-N", "-f", configuration.path], environment: environment,
            rights: .nobody)
        try await process.accepts(on: port)
        return Server(kind: kind, port: port, process: process, directory: directory)
    }

    private static func squid(_ kind: Kind, port: Int, directory: String) async throws -> String {
        var lines: [String] = []
        if kind == .squidTLS {
            let certificates = try await TestCertificates.shared()
            lines.append(
                "https_port 127.0.0.1:\(port) tls-cert=\(certificates.certificate) tls-key=\(certificates.key)"
            )
        } else {
            lines.append("http_port 127.0.0.1:\(port)")
        }
        switch kind {
        case .squidBasic:
            let hash = try await Command.check(["openssl", "passwd", "-apr1", "secret"]).lines.first ?? ""
            try Workspace.write("alice:\(hash)\n", to: URL(fileURLWithPath: "\(directory)/users"))
            lines += self.squidUsers("basic", "/usr/lib/squid/basic_ncsa_auth \(directory)/users")
        case .squidDigest:
            try await self.writeDigestUsers(directory: directory)
            lines += self.squidUsers("digest", "/usr/lib/squid/digest_file_auth -c \(directory)/users")
        default:
            lines.append("acl permitted method CONNECT")
        }
        return lines.joined(separator: "\n")
    }

    private static func squidUsers(_ scheme: String, _ program: String) -> [String] {
        [
            "auth_param \(scheme) program \(program)", "auth_param \(scheme) children 2 startup=1",
            "auth_param \(scheme) realm office", "acl permitted proxy_auth REQUIRED",
        ]
    }

    /// As htdigest writes them.
    private static func writeDigestUsers(directory: String) async throws {
        let sum = try await Command.check(["md5sum"], input: Array("alice:office:secret".utf8)).text
        try Workspace.write(
            "alice:office:\(sum.prefix(32))\n", to: URL(fileURLWithPath: "\(directory)/users"))
    }

    private static func squidCommon(directory: String) -> String {
        """
        pid_filename \(directory)/pid
        cache_log \(directory)/cache.log
        access_log stdio:\(directory)/access.log
        coredump_dir \(directory)
        netdb_filename none
        pinger_enable off
        cache deny all
        shutdown_lifetime 1 second
        visible_hostname localhost
        http_access allow permitted
        http_access deny all

        """
    }

    private static func apacheDigest(directory: String) async throws -> String {
        try await self.writeDigestUsers(directory: directory)
        return """
            AuthType Digest
                AuthName office
                AuthDigestProvider file
                AuthUserFile \(directory)/users
                Require valid-user
            """
    }

    private static func tinyproxy(authenticates: Bool, port: Int, directory: String) -> String {
        """
        Port \(port)
        Listen 127.0.0.1
        Timeout 600
        MaxClients 200
        LogFile "\(directory)/log"
        LogLevel Warning
        \(authenticates ? "BasicAuth alice secret" : "")

        """
    }

    private static func apache(port: Int, directory: String, _ authentication: String) -> String {
        let modules = "/usr/lib/apache2/modules"
        return """
            ServerRoot \(directory)
            DefaultRuntimeDir \(directory)
            PidFile \(directory)/pid
            ErrorLog \(directory)/log
            Mutex pthread
            ServerName localhost
            Listen 127.0.0.1:\(port)
            LoadModule mpm_event_module \(modules)/mod_mpm_event.so
            LoadModule authz_core_module \(modules)/mod_authz_core.so
            LoadModule authn_core_module \(modules)/mod_authn_core.so
            LoadModule authn_file_module \(modules)/mod_authn_file.so
            LoadModule authz_user_module \(modules)/mod_authz_user.so
            LoadModule auth_digest_module \(modules)/mod_auth_digest.so
            LoadModule proxy_module \(modules)/mod_proxy.so
            LoadModule proxy_connect_module \(modules)/mod_proxy_connect.so
            LoadModule proxy_http_module \(modules)/mod_proxy_http.so
            ServerLimit 1
            ThreadsPerChild 64
            MaxRequestWorkers 64
            ProxyRequests On
            AllowCONNECT 1-65535
            <Proxy "*">
                \(authentication)
            </Proxy>

            """
    }
}

extension ProxyServers.Server {
    /// The statuses in Squid's access log, `TCP_DENIED/407`.
    func logged(status: Int) throws -> Int {
        let log = try String(
            contentsOf: self.directory.appendingPathComponent("access.log"), encoding: .utf8)
        return log.split(separator: "\n").count { $0.contains("/\(status) ") }
    }
}
