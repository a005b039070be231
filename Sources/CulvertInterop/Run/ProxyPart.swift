/// libcurl through `culvert proxy`.
struct ProxyPart: RunPart {
    static let section = "libcurl"

    /// What `culvert proxy` can, of what scenarios ask for. The others are told as unsupported.
    private static let features: Set<ProxyScenario.ProxyFeature> = [
        .forward, .socks, .tlsListener, .http2Listener, .proxyProtocol, .digestUsers, .ntlmUsers,
    ]

    let site: LocalSite
    let scenarios: [ProxyScenario]

    private var column: String { "libcurl \(CurlLibrary.current.version)" }

    var section: Report.Section {
        Report.Section(
            name: Self.section, title: "libcurl through culvert proxy", rows: self.scenarios.map(\.title),
            columns: [self.column])
    }

    var rows: [(section: String, row: String)] { self.scenarios.map { (Self.section, $0.title) } }

    func run(_ onResult: @escaping @Sendable (CheckResult) -> Void) async throws -> [CheckResult] {
        let environment = await self.environment()
        var results: [CheckResult] = []
        for scenario in self.scenarios {
            try Task.checkCancellation()
            var verdict = Verdict.pass
            let duration = await ContinuousClock().measure {
                verdict = await ProxyScenarioRunner.run(scenario, environment: environment)
            }
            let result = CheckResult(
                section: Self.section, row: scenario.title, column: self.column, client: "libcurl",
                verdict: verdict, duration: duration)
            results.append(result)
            onResult(result)
        }
        return results
    }

    private func environment() async -> ProxyScenarioEnvironment {
        let origin = self.site.origin
        let site = self.site
        return ProxyScenarioEnvironment(
            http: origin.http, https: origin.https, ws: origin.ws, wss: origin.wss,
            authority: site.authority, refusedPort: await site.closedPortNumber(), features: Self.features
        ) { flavour in
            try await site.proxy(flavour == .open ? "culvert" : "culvert-\(flavour.rawValue)")
        }
    }
}
