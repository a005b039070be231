public import HTTPWire
import ProxyPolicy

/// The load balancers that tell whose connection they pass on, by the PROXY protocol.
///
/// Each connection of theirs must begin with a header: the protocol forbids guessing whether there is one.
public struct TrustedPeers: Sendable, Hashable {
    /// Their networks.
    public var networks: [IPNetwork]
    /// Whether whoever connects to a Unix socket is one; the file's mode says who that can be.
    public var includesUnixSockets: Bool

    /// Nobody unless told.
    public init(networks: [IPNetwork] = [], includesUnixSockets: Bool = false) {
        self.networks = networks
        self.includesUnixSockets = includesUnixSockets
    }

    /// - Parameter address: nil is a Unix socket's.
    func contains(_ address: IPAddress?) -> Bool {
        guard let address else { return self.includesUnixSockets }
        return self.networks.contains { $0.contains(address) || $0.contains(address.unmapped) }
    }
}
