package import Foundation

/// The scenario file: who takes part, and which combinations are tried.
package struct Scenarios: Decodable, Sendable {
    package let servers: [ServerRecipe]
    package let proxies: [ProxyRecipe]
    package let routes: [RouteRecipe]
    package let checks: [CheckRecipe]
    package let sections: [SectionRecipe]
    package let proxyScenarios: [ProxyScenario]
    package let clients: [ClientRecipe]
    package let publicTargets: [PublicTarget]
    /// What a public server is asked: little, it is somebody's.
    package let publicChecks: [String]

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case servers, proxies, routes, checks, sections, proxyScenarios, clients, publicTargets, publicChecks
    }

    package init(from decoder: any Decoder) throws {
        let object = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.servers = try object.decode(.servers, default: [])
        self.proxies = try object.decode(.proxies, default: [])
        self.routes = try object.decode(.routes, default: [])
        self.checks = try object.decode(.checks, default: [])
        self.sections = try object.decode(.sections, default: [])
        self.proxyScenarios = try object.decode(.proxyScenarios, default: [])
        self.clients = try object.decode(.clients, default: [])
        self.publicTargets = try object.decode(.publicTargets, default: [])
        self.publicChecks = try object.decode(.publicChecks, default: [])
    }

    /// Our own server, which needs no recipe.
    package static let origin = "origin"

    /// Reads a file and checks that every name in it is defined.
    ///
    /// - Throws: `ScenarioError`.
    package static func load(_ url: URL) throws(ScenarioError) -> Scenarios {
        do {
            let scenarios = try JSONDecoder().decode(Scenarios.self, from: try Data(contentsOf: url))
            try scenarios.checkNames()
            return scenarios
        } catch let error as DecodingError {
            throw ScenarioError(file: url.path, error)
        } catch {
            throw ScenarioError(file: url.path, detail: "\(error)")
        }
    }

    private func checkNames() throws {
        let proxies = try Self.unique("proxy", self.proxies.map(\.peer.name))
        let servers = try Self.unique("server", self.servers.map(\.peer.name) + [Self.origin])
        let routes = try Self.unique("route", self.routes.map(\.name))
        let checks = try Self.unique("check", self.checks.map(\.name))
        _ = try Self.unique("section", self.sections.map(\.name))
        _ = try Self.unique("scenario", self.proxyScenarios.map(\.name))
        _ = try Self.unique("client", self.clients.map(\.peer.name))
        try Self.require("proxy", self.proxies.compactMap(\.upstream), in: proxies)
        try Self.require("proxy", self.routes.flatMap(\.hops), in: proxies)
        try Self.require("check", self.publicChecks, in: checks)
        for server in self.servers { try Self.require("check", server.lacks.keys, in: checks) }
        for section in self.sections {
            try Self.require("server", section.servers, in: servers.union(["*"]))
            try Self.require("route", section.routes, in: routes.union(["*"]))
            try Self.require("check", section.checks, in: checks)
        }
    }

    private static func unique(_ what: String, _ names: [String]) throws -> Set<String> {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw UndefinedName(text: "two entries are the \(what) \"\(name)\"")
        }
        return seen
    }

    private static func require(_ what: String, _ names: some Sequence<String>, in defined: Set<String>)
        throws
    {
        for name in names where !defined.contains(name) {
            throw UndefinedName(text: "no \(what) is named \"\(name)\"")
        }
    }

    private struct UndefinedName: Error, CustomStringConvertible {
        let text: String

        var description: String { self.text }
    }
}

/// The scenario file cannot be used; says where and why.
package struct ScenarioError: Error, CustomStringConvertible {
    package let description: String

    init(file: String, detail: String) {
        self.description = "\(file): \(detail)"
    }

    init(file: String, _ error: DecodingError) {
        self.init(file: file, detail: error.placeAndReason)
    }
}
