public import HTTPWire

/// Addresses that a proxy open to others must not reach for them: its own host, its neighbours, the cloud's
/// metadata service, and every notation that smuggles an IPv4 address into IPv6.
public struct AddressGuard: Sendable, Hashable {
    private let networks: [(name: String, network: IPNetwork)]

    /// The table of special-purpose networks (IANA registries, RFC 6890).
    public static let specialPurpose = AddressGuard(table: [
        ("this host", "0.0.0.0/8"), ("private", "10.0.0.0/8"), ("carrier NAT", "100.64.0.0/10"),
        ("loopback", "127.0.0.0/8"), ("link-local", "169.254.0.0/16"), ("private", "172.16.0.0/12"),
        ("protocol assignments", "192.0.0.0/24"), ("private", "192.168.0.0/16"),
        ("benchmarking", "198.18.0.0/15"),
        ("multicast", "224.0.0.0/4"), ("reserved", "240.0.0.0/4"),
        // ::/96 holds the unspecified address, the loopback address and the v4-compatible ones.
        ("unspecified, loopback or v4-compatible", "::/96"), ("v4-mapped", "::ffff:0:0/96"),
        ("NAT64", "64:ff9b::/96"), ("NAT64", "64:ff9b:1::/48"), ("Teredo", "2001::/32"),
        ("6to4", "2002::/16"),
        ("unique local", "fc00::/7"), ("link-local", "fe80::/10"), ("multicast", "ff00::/8"),
    ])

    private init(table: [(String, String)]) {
        self.networks = table.map { name, text in
            guard let network = IPNetwork(text) else {
                preconditionFailure("the built-in table holds \(text), which is no network")
            }
            return (name, network)
        }
    }

    /// The kind of network that holds the address, or nil for one that may be reached.
    public func objection(to address: IPAddress) -> String? {
        self.networks.first { $0.network.contains(address) }?.name
    }

    /// Equal tables guard alike.
    public static func == (lhs: AddressGuard, rhs: AddressGuard) -> Bool {
        lhs.networks.elementsEqual(rhs.networks) { $0 == $1 }
    }

    /// Hashes the networks.
    public func hash(into hasher: inout Hasher) {
        for entry in self.networks { hasher.combine(entry.network) }
    }
}
