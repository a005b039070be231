import CulvertTunnel
public import HTTPWire
import NIOCore
import NIOPosix
public import ProxyPolicy

extension ProxyConfiguration {
    /// Tells which rule decides on a request and why, as a proxy with this configuration would.
    ///
    /// - Parameters:
    ///   - user: the authenticated user; nil for none.
    ///   - client: the client's address.
    ///   - method: `CONNECT` for a tunnel.
    ///   - target: what is asked for. Its name is looked up where rules or the guard depend on it.
    public func explain(
        user: String?, client: IPAddress?, method: String = "CONNECT", target: Authority
    ) async -> AccessExplanation {
        let snapshot = ProxySnapshot(self, health: RouteHealth(), names: .withoutMemory)
        let roles = user.flatMap { snapshot.rolesOfUsers[$0] } ?? []
        let request = AccessRequest(user: user, roles: roles, client: client, method: method, target: target)
        var lines = [
            "\(user ?? "nobody") from \(client?.description ?? "a Unix socket"): \(method) \(target)"
        ]
        if !roles.isEmpty { lines.append("roles: \(roles.sorted().joined(separator: ", "))") }
        let explanation = snapshot.policy.explain(request, addresses: await Self.addresses(of: target))
        return AccessExplanation(isAllowed: explanation.isAllowed, lines: lines + explanation.lines)
    }

    private static func addresses(of target: Authority) async -> [IPAddress] {
        guard case .name(let name) = target.host else { return [] }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        return (try? await NameLookup.addresses(of: name, on: eventLoop).get()) ?? []
    }
}
