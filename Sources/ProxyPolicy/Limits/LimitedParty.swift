package import HTTPWire

/// Whose use is counted together.
package enum LimitedParty: Sendable, Hashable {
    /// An IPv4 address, or the /64 network of an IPv6 one.
    case client(IPAddress)
    case user(String)
    /// All that the table has no room for.
    case others(isUser: Bool)

    package static func client(at address: IPAddress) -> Self {
        let address = address.unmapped
        guard case .v6(let high, _) = address else { return .client(address) }
        return .client(.v6(high: high, low: 0))
    }

    package var isUser: Bool {
        switch self {
        case .client: false
        case .user: true
        case .others(let isUser): isUser
        }
    }
}
