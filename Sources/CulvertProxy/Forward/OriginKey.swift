import HTTPWire
import ProxyRoutes

/// Whose requests a connection to a server may carry.
struct OriginKey: Hashable {
    enum Peer: Hashable {
        /// The origin, dialled from here.
        case direct(Authority)
        /// The origin, at the end of a tunnel.
        case tunnel(Authority, Route)
        /// A parent that forwards, to whatever origin.
        case parent(ProxyHop)
    }

    let peer: Peer
    /// A parent may take a connection for a person's; so each of our users has their own.
    let user: String?
}
