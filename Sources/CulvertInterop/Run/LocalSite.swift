import Foundation

/// Everything on this machine's loopback: peers as processes, our origin and TLS terminators in this one.
package actor LocalSite: Site {
    package nonisolated let authority: String
    package nonisolated let pool: PeerPool
    package nonisolated let origin: Origin

    /// The name of the proxy that leads to the internet.
    package static let exit = "exit"

    private let exit: ProxyAddress?
    private let scratch: ScratchDirectory
    private let certificates: CertificateAuthority
    private let proxies: [String: ProxyRecipe]
    private let closedPort: ClosedPort
    private var fronts: [Int: TLSFront] = [:]
    private var badOrigins: [CheckRecipe.Obstacle: Origin] = [:]

    /// Mints the certificates and starts the origin.
    ///
    /// - Parameters:
    ///   - scenarios: where the recipes of proxies are looked up.
    ///   - culvert: the path of our own program, for the peers that are it.
    ///   - exit: the proxy that leads to the internet, where there is one.
    /// - Throws: `OpenSSLError` and Foundation's errors, when there is no room or no port.
    package init(_ scenarios: Scenarios, culvert: String, exit: ProxyAddress? = nil) throws {
        let scratch = try ScratchDirectory("culvert-certificates")
        let certificates = try CertificateAuthority()
        let files = try CertificateFiles(certificates, directory: scratch.url.path)
        self.exit = exit
        self.scratch = scratch
        self.certificates = certificates
        self.authority = files.authority
        self.origin = try Origin(authority: certificates)
        self.closedPort = try ClosedPort()
        self.proxies = Dictionary(scenarios.proxies.map { ($0.peer.name, $0) }) { $1 }
        self.pool = try PeerPool(placeholders: [
            "peers": try ResourceFolder.find().appendingPathComponent("peers").path,
            "python": PeerPython.path, "culvert": culvert,
            "ca": files.authority, "cert": files.leaf.certificate, "key": files.leaf.key,
            "spki": try certificates.leaf.certificate.publicKeyHash(),
        ])
    }

    package func url(
        of server: EchoServer, _ transport: SectionRecipe.Transport
    ) async throws -> String {
        switch server {
        case .remote(let target): return target.url
        case .origin: return (transport == .wss ? self.origin.wss : self.origin.ws) + "/echo"
        case .peer(let recipe):
            let port = try await self.pool.start(recipe.peer).port
            let reached = transport == .wss ? try self.front(before: port) : port
            return "\(transport.rawValue)://localhost:\(reached)\(recipe.path)"
        }
    }

    package func url(
        behind obstacle: CheckRecipe.Obstacle, _ transport: SectionRecipe.Transport
    ) async throws -> String {
        switch obstacle {
        case .closedPort: return "\(transport.rawValue)://localhost:\(self.closedPort.port)/echo"
        // RFC 6761 §6.4: never has an address.
        case .unknownName: return "\(transport.rawValue)://nothing.invalid/echo"
        case .notFound: return (transport == .wss ? self.origin.wss : self.origin.ws) + "/nothing-here"
        case .wrongPassword, .noPassword: return try await self.url(of: .origin, transport)
        case .otherAuthority, .wrongName, .expired: return try self.badOrigin(obstacle).wss + "/echo"
        }
    }

    package func proxies(of route: RouteRecipe) async throws -> [ProxyAddress] {
        var addresses: [ProxyAddress] = []
        for name in route.hops { addresses.append(try await self.proxy(name)) }
        if route.isBehindTLS, let nearest = addresses.first {
            addresses[0].scheme = .https
            addresses[0].port = try self.front(before: nearest.port)
        }
        return addresses
    }

    /// A proxy by its name in the scenario file, started.
    package func proxy(_ name: String) async throws -> ProxyAddress {
        if name == Self.exit, let exit { return exit }
        guard let recipe = self.proxies[name] else {
            throw InteropFailure(.other, "no proxy is named \(name)")
        }
        var upstream: String?
        if let behind = recipe.upstream { upstream = "localhost:\(try await self.proxy(behind).port)" }
        return recipe.address(port: try await self.pool.start(recipe.peer, upstream: upstream).port)
    }

    /// A port that refuses.
    package func closedPortNumber() -> Int { self.closedPort.port }

    /// Ends all peers and servers.
    package func stop() async {
        await self.pool.stop()
        for front in self.fronts.values { front.stop() }
        for origin in self.badOrigins.values { origin.stop() }
        self.origin.stop()
        self.fronts = [:]
        self.badOrigins = [:]
    }

    private func front(before port: Int) throws -> Int {
        if let front = self.fronts[port] { return front.port }
        let front = try TLSFront(self.certificates.leaf, before: port)
        self.fronts[port] = front
        return front.port
    }

    private func badOrigin(_ obstacle: CheckRecipe.Obstacle) throws -> Origin {
        if let origin = self.badOrigins[obstacle] { return origin }
        let identity =
            switch obstacle {
            case .wrongName: self.certificates.wrongName
            case .expired: self.certificates.expired
            // The leaf of an authority that nobody was told to trust.
            default: try CertificateAuthority().leaf
            }
        let origin = try Origin(identity: identity)
        self.badOrigins[obstacle] = origin
        return origin
    }
}
