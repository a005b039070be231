/// A way to the target: names of proxies, nearest first. None is direct.
package struct RouteRecipe: Decodable, Sendable, Hashable {
    package let name: String
    package let title: String
    package let hops: [String]
    /// TLS with the nearest proxy, by our OpenSSL terminator in front of it.
    package let isBehindTLS: Bool

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, title, hops, behindTLS
    }

    package init(name: String, title: String, hops: [String], isBehindTLS: Bool = false) {
        self.name = name
        self.title = title
        self.hops = hops
        self.isBehindTLS = isBehindTLS
    }

    package init(from decoder: any Decoder) throws {
        let object = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.name = try object.decode(String.self, forKey: .name)
        self.hops = try object.decode([String].self, forKey: .hops)
        self.title = try object.decode(.title, default: self.name)
        self.isBehindTLS = try object.decode(.behindTLS, default: false)
    }
}
