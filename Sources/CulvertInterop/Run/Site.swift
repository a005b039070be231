/// Where the peers of a run are: started at first use.
package protocol Site: Sendable {
    /// PEM file with the authority that signed the certificates of servers and proxies.
    var authority: String { get }

    /// The URL of an echo.
    func url(of server: EchoServer, _ transport: SectionRecipe.Transport) async throws -> String

    /// A URL whose server cannot be reached for the reason given.
    func url(behind obstacle: CheckRecipe.Obstacle, _ transport: SectionRecipe.Transport) async throws
        -> String

    /// The proxies of a route, with their right credentials.
    func proxies(of route: RouteRecipe) async throws -> [ProxyAddress]
}
