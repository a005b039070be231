/// What a run tries, in order.
package struct Plan: Sendable {
    package var sections: [Report.Section] = []
    package var items: [Item] = []

    /// One place of a matrix over one transport: every client runs it.
    package struct Item: Sendable {
        package let section: String
        package let row: String
        package let column: String
        package let server: EchoServer
        package let route: RouteRecipe
        package let transport: SectionRecipe.Transport
        package let check: CheckRecipe
    }

    /// A part of the whole, by names; empty is all.
    package struct Selection: Sendable {
        package var sections: Set<String> = []
        package var servers: Set<String> = []
        package var routes: Set<String> = []
        package var checks: Set<String> = []

        package init() {}

        /// Whether a section that is not made of server, route and check is run: not when those are chosen.
        func takes(_ section: String) -> Bool {
            self.takes(section, of: self.sections) && self.servers.isEmpty && self.routes.isEmpty
                && self.checks.isEmpty
        }

        func takes(_ name: String, of wanted: Set<String>) -> Bool { wanted.isEmpty || wanted.contains(name) }
    }

    package init() {}

    /// Lays out the sections of a scenario file.
    package init(_ scenarios: Scenarios, _ selection: Selection = Selection()) {
        for section in scenarios.sections where selection.takes(section.name, of: selection.sections) {
            self.add(section, scenarios, selection)
        }
    }

    private mutating func add(_ section: SectionRecipe, _ scenarios: Scenarios, _ selection: Selection) {
        let servers = Self.servers(section, scenarios).filter {
            selection.takes($0.name, of: selection.servers)
        }
        let routes = scenarios.routes.filter {
            Self.takes($0.name, section.routes) && selection.takes($0.name, of: selection.routes)
        }
        let checks = section.checks.compactMap { name in scenarios.checks.first { $0.name == name } }
            .filter { selection.takes($0.name, of: selection.checks) }
        let before = self.items.count
        for server in servers {
            for route in routes {
                for check in checks {
                    for transport in section.transports where check.applies(to: transport) {
                        self.items.append(Self.item(section, server, route, check, transport))
                    }
                }
            }
        }
        let titles: (SectionRecipe.Side) -> [String] = { side in
            switch side {
            case .server: servers.map(\.title)
            case .route: routes.map(\.title)
            case .check: checks.map(\.name)
            }
        }
        guard self.items.count > before else { return }
        self.sections.append(
            Report.Section(
                name: section.name, title: section.title, rows: titles(section.rows),
                columns: titles(section.columns)))
    }

    private static func item(
        _ section: SectionRecipe, _ server: EchoServer, _ route: RouteRecipe, _ check: CheckRecipe,
        _ transport: SectionRecipe.Transport
    ) -> Item {
        let title: (SectionRecipe.Side) -> String = { side in
            switch side {
            case .server: server.title
            case .route: route.title
            case .check: check.name
            }
        }
        return Item(
            section: section.name, row: title(section.rows), column: title(section.columns), server: server,
            route: route, transport: transport, check: check)
    }

    private static func servers(_ section: SectionRecipe, _ scenarios: Scenarios) -> [EchoServer] {
        let peers = scenarios.servers.filter { self.takes($0.peer.name, section.servers) }
        return (section.servers.contains(Scenarios.origin) ? [.origin] : []) + peers.map(EchoServer.peer)
    }

    private static func takes(_ name: String, _ listed: [String]) -> Bool {
        listed.contains(name) || listed.contains("*")
    }
}

extension CheckRecipe {
    /// A certificate shows only where there is TLS.
    func applies(to transport: SectionRecipe.Transport) -> Bool {
        if case .refuse(let obstacle) = self.action, obstacle.needsTLS { return transport == .wss }
        return true
    }
}
