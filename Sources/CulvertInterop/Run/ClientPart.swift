import Foundation

/// Other makers' clients through `culvert proxy`.
struct ClientPart: RunPart {
    let site: LocalSite
    let recipes: [ClientRecipe]

    /// Over one client with all its checks: a browser on a busy machine needs most of a minute.
    private static let timeLimit = Duration.seconds(90)

    var section: Report.Section { ForeignClients.layout(self.recipes) }
    var rows: [(section: String, row: String)] {
        self.recipes.flatMap { recipe in
            recipe.checks.map { _ in (ForeignClients.section, recipe.peer.title) }
        }
    }

    func run(_ onResult: @escaping @Sendable (CheckResult) -> Void) async throws -> [CheckResult] {
        let site = self.site
        let clients = ForeignClients(
            pool: site.pool, timeLimit: Self.timeLimit,
            arguments: { recipe in
                let proxy = try await site.proxy("culvert")
                return [
                    "url": (recipe.isSecure ? site.origin.wss : site.origin.ws) + "/echo",
                    "https": site.origin.https, "proxy": "http://127.0.0.1:\(proxy.port)",
                ]
            }, onResult: onResult)
        return try await clients.run(self.recipes)
    }
}
