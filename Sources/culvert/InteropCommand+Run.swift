import ArgumentParser
import CulvertInterop
import CulvertProxy
import CulvertTunnel
import Foundation
import HTTPWire
import ProxyRoutes

extension InteropCommand {
    func loadScenarios() throws -> Scenarios {
        let file =
            try self.scenarios.map { URL(fileURLWithPath: $0) }
            ?? ResourceFolder.find().appendingPathComponent("scenarios.json")
        do {
            return try Scenarios.load(file)
        } catch {
            throw CommandFailure("\(error)", status: .noInput)
        }
    }

    static func print(namesOf scenarios: Scenarios) {
        let names = Names(scenarios)
        for (title, list) in [
            ("sections", names.sections), ("servers", names.servers), ("routes", names.routes),
            ("checks", names.checks),
        ] {
            Swift.print("\(title): \(list.joined(separator: ", "))")
        }
    }

    func selection(_ scenarios: Scenarios) throws -> Plan.Selection {
        let names = Names(scenarios)
        var selection = Plan.Selection()
        selection.sections = try Self.known(self.section, names.sections, option: "--section")
        selection.servers = try Self.known(self.server, names.servers, option: "--server")
        selection.routes = try Self.known(self.route, names.routes, option: "--route")
        selection.checks = try Self.known(self.check, names.checks, option: "--check")
        return selection
    }

    func options(
        _ scenarios: Scenarios, _ selection: Plan.Selection, exit: ProxyAddress?
    ) throws -> InteropRun.Options {
        InteropRun.Options {
            $0.selection = selection
            $0.isLocal = self.isLocal || self.remoteTargets(scenarios).isEmpty
            $0.targets = self.remoteTargets(scenarios)
            $0.exit = exit
            $0.clients = Self.clients
            $0.requiresPeers = self.requirePeers
            $0.jobs = self.jobs
            $0.timeLimit = self.timeout.duration
            $0.command = self.commandLine
            $0.culvert = Self.ownPath
            $0.culvertVersion = Culvert.configuration.version
        }
    }

    /// Runs our proxy in this process while `body` runs, when there is a server on the internet to reach: it leads
    /// there, through the user's own proxy where there is one.
    func withExit<Result: Sendable>(
        _ body: @escaping @Sendable (ProxyAddress?) async throws -> Result
    ) async throws -> Result {
        guard self.public || !self.target.isEmpty else { return try await body(nil) }
        let upstream = Route(try self.exitHops())
        let (listening, listener) = AsyncStream.makeStream(of: ListenAddress.self)
        let server = ProxyServer(
            ProxyConfiguration {
                $0.listeners = [ListenAddress(address: .loopback, port: 0)]
                $0.upstream = upstream
                $0.onListening = { addresses in
                    for address in addresses { listener.yield(address) }
                    listener.finish()
                }
            })
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await server.run()
                return nil
            }
            group.addTask {
                guard let port = await listening.first(where: { _ in true })?.port else { return nil }
                return try await body(ProxyAddress(.http, host: "127.0.0.1", port: port))
            }
            defer { group.cancelAll() }
            guard case let result?? = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    /// The user's way to the internet.
    func hops(isTold: Bool) throws -> [ProxyHop]? {
        if self.proxy.isEmpty { return nil }
        if self.proxy == ["none"] { return [] }
        return try self.proxy.map { try parseProxyURL($0, option: "--proxy", isTold: isTold) }
    }

    private func exitHops() throws -> [ProxyHop] {
        if let hops = try self.hops(isTold: true) { return hops }
        // One way for all targets: that of a page on some host.
        let environment = EnvironmentProxies(ProcessInfo.processInfo.environment)
        let (route, assumptions) = try environment.route(
            to: try Authority("example.com:443"), scheme: .https)
        for assumption in environment.warnings + assumptions {
            StandardError.print("culvert interop: note: \(assumption)")
        }
        return route.hops
    }

    private func remoteTargets(_ scenarios: Scenarios) -> [PublicTarget] {
        (self.public ? scenarios.publicTargets : []) + self.target.map { PublicTarget(url: $0, title: $0) }
    }

    /// The oracles first. Where libcurl has no WebSocket a scenario through our proxy says so, once.
    private static var clients: [any InteropClient] {
        let own: [any InteropClient] = LibcurlWebSocketClient.absence == nil ? [LibcurlWebSocketClient()] : []
        return [LibcurlClient()] + own + [CulvertClient()]
    }

    /// What a report says it was made by. A proxy's URL may hold a password, and so may a target's.
    private var commandLine: String {
        var words = ["culvert", "interop"]
        if self.public { words.append("--public") }
        if self.isLocal { words.append("--local") }
        for (option, values) in [
            ("--section", self.section), ("--server", self.server), ("--route", self.route),
            ("--check", self.check),
        ] {
            words += values.flatMap { [option, $0] }
        }
        if self.requirePeers { words.append("--require-peers") }
        return words.joined(separator: " ")
    }

    private static let ownPath: String = {
        let path = Bundle.main.executableURL?.path ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }()

    private static func known(_ names: [String], _ known: [String], option: String) throws -> Set<String> {
        for name in names where !known.contains(name) {
            throw CommandFailure(
                "\(option): nothing is named '\(printable(name))'; there are \(known.joined(separator: ", "))",
                status: .usage)
        }
        return Set(names)
    }

    /// What may be chosen.
    private struct Names {
        let sections: [String]
        let servers: [String]
        let routes: [String]
        let checks: [String]

        init(_ scenarios: Scenarios) {
            self.sections = scenarios.sections.map(\.name) + InteropRun.otherSections
            self.servers = [Scenarios.origin] + scenarios.servers.map(\.peer.name)
            self.routes = scenarios.routes.map(\.name)
            self.checks = scenarios.checks.map(\.name)
        }
    }
}
