/// A way from the client under test to an origin.
enum Route: String, CaseIterable, Sendable {
    case direct
    case culvert = "culvert proxy"
    case culvertBasic = "culvert proxy with users"
    case culvertToSquidBasic = "culvert proxy, then squid with Basic"
    case squid
    case squidBasic = "squid with Basic"
    case squidTLS = "squid behind TLS"
    case tinyproxy
    case tinyproxyBasic = "tinyproxy with Basic"
    case apache

    /// The arguments that send `culvert ws` or `culvert connect` this way.
    func arguments() async throws -> [String] {
        switch self {
        case .direct: return ["--proxy", "none"]
        case .culvert: return ["--proxy", try await OwnProxies.shared.open().url]
        case .culvertBasic:
            return [
                "--proxy",
                "http://alice:secret@127.0.0.1:\(try await OwnProxies.shared.authenticating().port)",
            ]
        case .culvertToSquidBasic: return ["--proxy", try await OwnProxies.shared.chained().url]
        case .squid: return try await self.arguments(.squid)
        case .squidBasic: return try await self.arguments(.squidBasic)
        case .squidTLS:
            let certificates = try await TestCertificates.shared()
            return try await self.arguments(.squidTLS) + ["--proxy-ca", certificates.authority]
        case .tinyproxy: return try await self.arguments(.tinyproxy)
        case .tinyproxyBasic: return try await self.arguments(.tinyproxyBasic)
        case .apache: return try await self.arguments(.apache)
        }
    }

    private func arguments(_ kind: ProxyServers.Kind) async throws -> [String] {
        ["--proxy", try await ProxyServers.shared.server(kind).url]
    }
}

/// The `culvert proxy` processes that many tests share.
actor OwnProxies {
    static let shared = OwnProxies()

    private var tasks: [String: Task<CulvertProxyProcess, any Error>] = [:]

    func open() async throws -> CulvertProxyProcess {
        try await self.shared("open") { try await CulvertProxyProcess() }
    }

    func authenticating() async throws -> CulvertProxyProcess {
        try await self.shared("authenticating") { try await CulvertProxyProcess.authenticating() }
    }

    /// Its upstream is Squid with Basic.
    func chained() async throws -> CulvertProxyProcess {
        try await self.shared("chained") {
            let squid = try await ProxyServers.shared.server(.squidBasic)
            return try await CulvertProxyProcess(["--upstream", squid.url])
        }
    }

    private func shared(
        _ name: String, _ start: @escaping @Sendable () async throws -> CulvertProxyProcess
    ) async throws -> CulvertProxyProcess {
        if let task = self.tasks[name] { return try await task.value }
        let task = Task { try await start() }
        self.tasks[name] = task
        return try await task.value
    }
}
