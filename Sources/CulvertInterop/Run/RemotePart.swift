/// Servers on the internet, through our proxy.
struct RemotePart: RunPart {
    private let site: LocalSite
    private let checks: [CheckRecipe]
    private let options: InteropRun.Options
    private let remote: RemoteTargets

    /// Over one page: a public server on a slow line.
    private static let pageTimeout = Duration.seconds(15)

    init(site: LocalSite, scenarios: Scenarios, options: InteropRun.Options) {
        self.site = site
        self.options = options
        self.checks = scenarios.publicChecks.compactMap { name in
            scenarios.checks.first { $0.name == name }
        }
        self.remote = RemoteTargets(
            checks: self.checks,
            route: RouteRecipe(name: LocalSite.exit, title: "culvert", hops: [LocalSite.exit])
        )
    }

    var section: Report.Section { self.remote.layout(self.options.targets) }

    var rows: [(section: String, row: String)] {
        self.options.targets.flatMap { target in
            let count = target.isWebSocket ? self.checks.count * self.options.clients.count : 1
            return (0..<count).map { _ in (RemoteTargets.section, target.title) }
        }
    }

    func run(_ onResult: @escaping @Sendable (CheckResult) -> Void) async throws -> [CheckResult] {
        let site = self.site
        let runner = PlanRunner(
            site: site, proxies: [], clients: self.options.clients, jobs: 1, timeLimit: self.options.timeLimit
        )
        return try await self.remote.run(
            self.options.targets, runner,
            fetch: { url, maxBytes in
                try await Self.fetch(url, through: try await site.proxy(LocalSite.exit), maxBytes: maxBytes)
            }, onResult: onResult)
    }

    private static func fetch(
        _ url: String, through proxy: ProxyAddress, maxBytes: Int
    ) async throws -> Int {
        let multi = try CurlMulti()
        do {
            let easy = try CurlEasy([.url(url), .proxy(CurlProxy(proxy)), .tunnel, .maxBody(bytes: maxBytes)])
            let outcome = try await multi.perform(easy, timeout: self.pageTimeout)
            await multi.end()
            // A page that is larger than it is worth is an answer too.
            if let status = outcome.status, outcome.failure == nil || outcome.body.count > 0 { return status }
            throw outcome.failure ?? InteropFailure(.protocolViolation, "an answer without a status")
        } catch {
            await multi.end()
            throw error
        }
    }
}
