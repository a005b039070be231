import CulvertTunnel
import HTTPWire
import NIOCore

extension ProxyCore {
    /// Whether a connection that waited may be used: its address is judged anew, as if it were dialled now.
    func admits(_ connection: OriginConnection) -> Bool {
        guard case .direct = connection.key.peer, let socketAddress = connection.address else { return true }
        guard let address = IPAddress(socketAddress), let port = socketAddress.port else { return false }
        let objection = self.objection(
            to: address, port: UInt16(truncatingIfNeeded: port), under: self.snapshot.policy)
        return objection == nil
    }

    /// The way to whoever gets a forwarded request next.
    func plan(for route: ForwardRoute, to target: Authority) throws(TunnelError) -> DialPlan {
        guard let parent = route.parent else { return try self.plan(to: target) }
        // To the parent itself, which was configured: no rule for targets has a say.
        let snapshot = self.snapshot
        let tls = parent.scheme == .https ? snapshot.configuration.upstreamTLS : nil
        return try snapshot.dialer.plan(to: parent.authority, via: .direct, tls: tls)
    }

    /// Looks at the addresses of a target that a parent will dial; nil when there is nothing to look at.
    func check(_ target: Authority, on eventLoop: any EventLoop) -> EventLoopFuture<Void>? {
        let policy = self.snapshot.policy
        guard policy.addressGuard != nil, case .name = target.host else { return nil }
        return TargetCheck.run(target, on: eventLoop) { address, port in
            self.objection(to: address, port: port, under: policy)
        }
    }
}
