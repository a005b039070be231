import CulvertTunnel
import HTTPWire
import NIOCore
import ProxyPolicy
import Synchronization

/// One request before the rules: judged by what it names at once, then for each address that its target resolves to.
/// One configuration counts from first to last, whatever is reloaded meanwhile.
final class Judgement: Sendable {
    let request: AccessRequest
    let snapshot: ProxySnapshot
    private let isOwn: @Sendable (IPAddress, UInt16) -> Bool
    private let byName: AccessDecision?
    private let last: Mutex<(denial: AccessDecision?, permission: AccessDecision?)>

    /// - Parameter isOwn: whether this proxy listens at an address and port.
    init(
        _ request: AccessRequest, under snapshot: ProxySnapshot,
        isOwn: @escaping @Sendable (IPAddress, UInt16) -> Bool
    ) {
        self.request = request
        self.snapshot = snapshot
        self.isOwn = isOwn
        var byName = snapshot.policy.decide(request)
        if byName?.isAllowed != false, case .address(let address) = request.target.host,
            isOwn(address, request.target.port)
        {
            byName = Self.loop
        }
        self.byName = byName
        let isDenied = byName?.isAllowed == false
        self.last = Mutex((denial: isDenied ? byName : nil, permission: isDenied ? nil : byName))
    }

    /// Why the request is refused: by what it names or, later, by the last of its addresses that was.
    var denial: AccessDecision? { self.last.withLock { $0.denial } }

    /// Whether the addresses must be looked at even when somebody else will dial.
    var dependsOnAddress: Bool { self.byName == nil || self.snapshot.policy.addressGuard != nil }

    /// What let the request through.
    ///
    /// - Parameter address: the one that was dialled; nil where a parent dialled it.
    func permission(for address: IPAddress?) -> AccessDecision? {
        guard self.byName == nil, let address else { return self.last.withLock { $0.permission } }
        return self.decide(address, port: self.request.target.port)
    }

    /// For the dialer: nil admits an address.
    var addressFilter: AddressFilter {
        { address, port in
            let decision = self.decide(address, port: port)
            self.last.withLock { last in
                if decision.isAllowed { last.permission = decision } else { last.denial = decision }
            }
            return decision.isAllowed ? nil : decision.reason
        }
    }

    /// Whether a connection that waited may be used: its address is judged anew, as if it were dialled now.
    func admits(_ connection: some PooledConnection) -> Bool {
        guard case .direct = connection.key.peer else { return true }
        guard let address = connection.address else { return false }
        return self.addressFilter(address, connection.port) == nil
    }

    private func decide(_ address: IPAddress, port: UInt16) -> AccessDecision {
        let decision = self.snapshot.policy.decide(self.request, address: address)
        return decision.isAllowed && self.isOwn(address, port) ? Self.loop : decision
    }

    private static let loop = AccessDecision.deny("loop", "the target is this proxy itself")
}
