package import HTTPWire

/// What clients may reach: judged once by the target's name and port, then for each address it resolves to.
public struct AccessPolicy: Sendable, Hashable {
    /// Ports a CONNECT may name; nil allows every port.
    public var connectPorts: Set<UInt16>?
    /// Refuses special-purpose addresses; nil refuses none.
    package var addressGuard: AddressGuard?

    /// Allows everything until a property says otherwise.
    public init(_ configure: (inout AccessPolicy) -> Void = { _ in }) {
        configure(&self)
    }

    /// The verdict on a target or an address.
    public enum Decision: Sendable, Hashable {
        /// It may be reached.
        case allow
        /// It may not, and why: for the answer and the log.
        case deny(reason: String)
    }

    /// Judges the target by what the request names.
    ///
    /// - Parameter isTunnel: asked for by CONNECT; a forwarded request may name any port.
    package func decide(_ target: Authority, isTunnel: Bool = true) -> Decision {
        if isTunnel, let connectPorts, !connectPorts.contains(target.port) {
            return .deny(reason: "port \(target.port) is not allowed")
        }
        // A literal needs no resolver, and with a parent proxy this is the only look at it.
        if case .address(let address) = target.host { return self.decide(address) }
        return .allow
    }

    /// Judges one resolved address: the one that is dialled must have passed here.
    package func decide(_ address: IPAddress) -> Decision {
        guard let objection = self.addressGuard?.objection(to: address) else { return .allow }
        return .deny(reason: "\(address) is a \(objection) address")
    }
}
