/// The proxies a connection goes through, in order from the client; none means direct.
public struct Route: Sendable, Hashable, CustomStringConvertible {
    /// The proxies from the nearest to the one that dials the target.
    public var hops: [ProxyHop]

    /// A route through these proxies.
    public init(_ hops: [ProxyHop]) {
        self.hops = hops
    }

    /// No proxy.
    public static let direct = Route([])

    /// The hops without credentials, or `direct`.
    public var description: String {
        self.hops.isEmpty ? "direct" : self.hops.map(\.description).joined(separator: " -> ")
    }
}
