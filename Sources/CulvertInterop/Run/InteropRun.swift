import COpenSSL
import Foundation

/// A run of the harness from plan to report.
package struct InteropRun: Sendable {
    /// What is run, and with whom.
    package struct Options: Sendable {
        package var selection = Plan.Selection()
        /// The peers of this machine.
        package var isLocal = true
        /// Servers on the internet.
        package var targets: [PublicTarget] = []
        /// The proxy of ours that those are reached through.
        package var exit: ProxyAddress?
        /// Our client last: the others are its oracles.
        package var clients: [any InteropClient] = []
        /// A peer that is missing is a failure.
        package var requiresPeers = false
        /// Places of a matrix at a time.
        package var jobs = 4
        /// Over one check. Half a minute: 16 MiB through the slowest echo take a few seconds on a busy machine.
        package var timeLimit = Duration.seconds(30)
        /// The command line, without secrets, for the report.
        package var command = ""
        /// The path of our own program.
        package var culvert = ""
        package var culvertVersion = ""

        package init(_ configure: (inout Options) throws -> Void) rethrows {
            try configure(&self)
        }
    }

    /// Sections of a local run besides those of the scenario file.
    package static let otherSections = [ProxyPart.section, ForeignClients.section]

    private let scenarios: Scenarios
    private let options: Options
    private let progress: Progress
    private let plan: Plan

    package init(_ scenarios: Scenarios, _ options: Options, progress: Progress) {
        self.scenarios = scenarios
        self.options = options
        self.progress = progress
        self.plan = options.isLocal ? Plan(scenarios, options.selection) : Plan()
    }

    /// Runs everything, then ends every peer.
    ///
    /// - Throws: `CancellationError`; errors of the file system, of sockets and of OpenSSL.
    package func run() async throws -> Report {
        let site = try LocalSite(self.scenarios, culvert: self.options.culvert, exit: self.options.exit)
        do {
            let report = try await self.run(on: site)
            await site.stop()
            return report
        } catch {
            await site.stop()
            throw error
        }
    }

    private func run(on site: LocalSite) async throws -> Report {
        let start = ContinuousClock.now
        let date = Date()
        let remote = RemotePart(site: site, scenarios: self.scenarios, options: self.options)
        let parts = [
            ProxyPart(site: site, scenarios: self.proxyScenarios) as any RunPart,
            ClientPart(site: site, recipes: self.clients), remote,
        ].filter { !$0.rows.isEmpty }
        let planned = self.plan.items.flatMap { item in
            self.options.clients.map { _ in (section: item.section, row: item.row) }
        }
        let progress = RowProgress(self.progress, expecting: planned + parts.flatMap(\.rows))
        defer { progress.end() }

        let runner = PlanRunner(
            site: site, proxies: self.scenarios.proxies, clients: self.options.clients,
            jobs: self.options.jobs, timeLimit: self.options.timeLimit, onResult: progress.finished)
        var sections = self.plan.sections
        var results = try await runner.run(self.plan)
        for part in parts {
            sections.append(part.section)
            results += try await part.run(progress.finished)
        }
        return Report(
            date: date, system: SystemDescription.text, parts: await self.parts(site), sections: sections,
            results: results, duration: ContinuousClock.now - start, command: self.options.command,
            requiresPeers: self.options.requiresPeers)
    }

    private var proxyScenarios: [ProxyScenario] {
        let isChosen = self.options.isLocal && self.options.selection.takes(ProxyPart.section)
        return isChosen ? self.scenarios.proxyScenarios : []
    }

    private var clients: [ClientRecipe] {
        let isChosen = self.options.isLocal && self.options.selection.takes(ForeignClients.section)
        return isChosen ? self.scenarios.clients : []
    }

    /// Everyone who took part, with versions.
    private func parts(_ site: LocalSite) async -> [Report.Part] {
        let openSSL = String(cString: OpenSSL_version(OPENSSL_VERSION_STRING))
        var parts = [
            Report.Part(name: "culvert", title: "culvert", kind: .own, version: self.options.culvertVersion),
            Report.Part(
                name: "libcurl", title: "libcurl", kind: .library, version: CurlLibrary.current.version),
            Report.Part(name: "openssl", title: "OpenSSL", kind: .library, version: openSSL),
        ]
        var servers: Set<String> = []
        var proxies: Set<String> = []
        for item in self.plan.items {
            servers.insert(item.server.name)
            proxies.formUnion(item.route.hops)
        }
        func add(_ peers: [PeerRecipe], _ kind: Report.Part.Kind) async {
            for peer in peers {
                let version = await site.pool.version(of: peer)
                parts.append(Report.Part(name: peer.name, title: peer.title, kind: kind, version: version))
            }
        }
        await add(self.scenarios.servers.map(\.peer).filter { servers.contains($0.name) }, .server)
        await add(
            self.scenarios.proxies.map(\.peer).filter { proxies.contains($0.name) && !$0.isOurs }, .proxy)
        await add(self.clients.map(\.peer), .client)
        parts += self.options.targets.map {
            Report.Part(name: $0.url, title: $0.title, kind: .target, version: nil)
        }
        return parts
    }
}
