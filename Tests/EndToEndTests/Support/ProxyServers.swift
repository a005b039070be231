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
    }

    struct Server: Sendable {
        let kind: Kind
        let port: Int
        let process: LeashedProcess

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
        case .squid, .squidBasic, .squidTLS:
            try Workspace.write(
                await self.squid(kind, port: port, directory: directory.path), to: configuration)
            // Two Squids of one name collide in shared memory.
            let name = "culvert\(port)"
            command = ["squid", "-n", name, "-N", "-f", configuration.path]
        case .tinyproxy, .tinyproxyBasic:
            try Workspace.write(
                self.tinyproxy(authenticates: kind == .tinyproxyBasic, port: port, directory: directory.path),
                to: configuration)
            command = ["tinyproxy", "-d", "-c", configuration.path]
        case .apache:
            try Workspace.write(self.apache(port: port, directory: directory.path), to: configuration)
            command = ["apache2", "-X", "-f", configuration.path]
        }
        let process = try await LeashedProcess(command, rights: .nobody)
        try await process.accepts(on: port)
        return Server(kind: kind, port: port, process: process)
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
        if kind == .squidBasic {
            let hash = try await Command.check(["openssl", "passwd", "-apr1", "secret"]).lines.first ?? ""
            try Workspace.write("alice:\(hash)\n", to: URL(fileURLWithPath: "\(directory)/users"))
            lines.append("auth_param basic program /usr/lib/squid/basic_ncsa_auth \(directory)/users")
            lines.append("auth_param basic children 2 startup=1")
            lines.append("auth_param basic realm office")
            lines.append("acl permitted proxy_auth REQUIRED")
        } else {
            lines.append("acl permitted method CONNECT")
        }
        lines.append(
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

            """)
        return lines.joined(separator: "\n")
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

    private static func apache(port: Int, directory: String) -> String {
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
            LoadModule proxy_module \(modules)/mod_proxy.so
            LoadModule proxy_connect_module \(modules)/mod_proxy_connect.so
            ServerLimit 1
            ThreadsPerChild 64
            MaxRequestWorkers 64
            ProxyRequests On
            AllowCONNECT 1-65535
            <Proxy "*">
                Require all granted
            </Proxy>

            """
    }
}
