/// One matrix: every server × route × client × check that is listed, laid out with two of them as its sides.
package struct SectionRecipe: Decodable, Sendable, Hashable {
    package let name: String
    package let title: String
    /// Names of servers, `origin` for our own; `*` stands for all.
    package let servers: [String]
    /// Names of routes; `*` stands for all.
    package let routes: [String]
    package let checks: [String]
    package let transports: [Transport]
    package let rows: Side
    package let columns: Side

    package enum Side: String, Decodable, Sendable, Hashable {
        case server, route, check
    }

    package enum Transport: String, Decodable, Sendable, Hashable {
        case ws, wss
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, title, servers, routes, checks, transports, rows, columns
    }

    package init(from decoder: any Decoder) throws {
        let object = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.name = try object.decode(String.self, forKey: .name)
        self.title = try object.decode(String.self, forKey: .title)
        self.servers = try object.decode([String].self, forKey: .servers)
        self.routes = try object.decode([String].self, forKey: .routes)
        self.checks = try object.decode([String].self, forKey: .checks)
        self.transports = try object.decode([Transport].self, forKey: .transports)
        self.rows = try object.decode(Side.self, forKey: .rows)
        self.columns = try object.decode(Side.self, forKey: .columns)
    }
}
