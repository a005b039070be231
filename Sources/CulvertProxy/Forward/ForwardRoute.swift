import CulvertTunnel
import HTTPWire
import ProxyRoutes

/// Which way a forwarded request goes out.
struct ForwardRoute {
    let key: OriginKey

    /// - Parameter user: who sent the request, where users are known.
    init(_ request: ForwardRequest, upstream: Route, user: String?) {
        let authority = request.target.authority
        switch upstream.hops.count {
        case 0:
            self.key = OriginKey(peer: .direct(authority), user: nil)
        // Parents hardly ever pass an upgrade on; a tunnel they do.
        case 1 where !request.wantsWebSocket && !upstream.hops[0].scheme.isSOCKS:
            self.key = OriginKey(peer: .parent(upstream.hops[0]), user: user)
        default:
            self.key = OriginKey(peer: .tunnel(authority, upstream), user: user)
        }
    }

    /// The way to the origin itself, when no parent gets the request.
    var tunnelRoute: Route {
        if case .tunnel(_, let route) = self.key.peer { route } else { .direct }
    }

    /// The parent that gets the request in absolute form.
    var parent: ProxyHop? {
        guard case .parent(let hop) = self.key.peer else { return nil }
        return hop
    }
}
