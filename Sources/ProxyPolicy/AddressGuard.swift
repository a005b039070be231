public import HTTPWire

/// Addresses that a proxy open to others must not reach for them: its own host, its neighbours, the cloud's
/// metadata service, and every notation that smuggles an IPv4 address into IPv6.
public struct AddressGuard: Sendable, Hashable {
    private let networks: [(name: String, network: IPNetwork)]
    /// Networks that may be reached although the table holds them.
    package var exceptions: [IPNetwork] = []

    /// The table of special-purpose networks (IANA registries, RFC 6890), the ways around it by IPv6, and the
    /// metadata addresses of clouds that lie outside of it.
    public static let specialPurpose = AddressGuard(table: [
        ("this host", "0.0.0.0/8"), ("private", "10.0.0.0/8"), ("carrier NAT", "100.64.0.0/10"),
        ("loopback", "127.0.0.0/8"), ("link-local", "169.254.0.0/16"), ("private", "172.16.0.0/12"),
        ("protocol assignments", "192.0.0.0/24"), ("private", "192.168.0.0/16"),
        ("documentation", "192.0.2.0/24"), ("6to4 relay", "192.88.99.0/24"),
        ("benchmarking", "198.18.0.0/15"),
        ("documentation", "198.51.100.0/24"), ("documentation", "203.0.113.0/24"),
        // Azure's agent answers here with a machine's secrets.
        ("cloud metadata", "168.63.129.16/32"),
        ("multicast", "224.0.0.0/4"), ("reserved", "240.0.0.0/4"),
        // ::/96 holds the unspecified address, the loopback address and the v4-compatible ones.
        ("unspecified, loopback or v4-compatible", "::/96"), ("v4-mapped", "::ffff:0:0/96"),
        ("v4-translated", "::ffff:0:0:0/96"), ("discard-only", "100::/64"),
        ("NAT64", "64:ff9b::/96"), ("NAT64", "64:ff9b:1::/48"), ("Teredo", "2001::/32"),
        ("benchmarking", "2001:2::/48"), ("ORCHID", "2001:10::/28"), ("ORCHID", "2001:20::/28"),
        ("documentation", "2001:db8::/32"), ("documentation", "3fff::/20"), ("segment routing", "5f00::/16"),
        ("6to4", "2002::/16"), ("site-local", "fec0::/10"),
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
        if self.exceptions.contains(where: { $0.contains(address) }) { return nil }
        if let entry = self.networks.first(where: { $0.network.contains(address) }) { return entry.name }
        // ISATAP hides an IPv4 address behind any prefix.
        return address.isISATAP ? "ISATAP" : nil
    }

    /// Equal tables guard alike.
    public static func == (lhs: AddressGuard, rhs: AddressGuard) -> Bool {
        lhs.exceptions == rhs.exceptions && lhs.networks.elementsEqual(rhs.networks) { $0 == $1 }
    }

    /// Hashes the networks.
    public func hash(into hasher: inout Hasher) {
        for entry in self.networks { hasher.combine(entry.network) }
        hasher.combine(self.exceptions)
    }
}
