import CulvertTunnel
import HTTPWire
import NIOCore

extension ProxyCore {
    /// The ways that a forwarded request may take, in the order they are tried.
    func ways(for judgement: Judgement) -> [Route] {
        let snapshot = judgement.snapshot
        return snapshot.dialer.health.order(snapshot.configuration.routes(to: judgement.request.target))
    }

    /// The ways by a script; nil where none decides.
    func scriptWays(for judgement: Judgement, on eventLoop: any EventLoop) -> EventLoopFuture<[Route]>? {
        let (snapshot, target) = (judgement.snapshot, judgement.request.target)
        guard let script = snapshot.configuration.script else { return nil }
        return eventLoop.makeFutureWithTask {
            try await self.ask(script, for: target, scheme: .http, snapshot).map(\.route)
        }
    }

    func unreachable(_ parent: ProxyHop) {
        self.snapshot.dialer.health.unreachable(parent)
    }

    /// The way to whoever gets a forwarded request next.
    func plan(for route: ForwardRoute, under judgement: Judgement) throws(TunnelError) -> DialPlan {
        guard let parent = route.parent else {
            return try self.plan(for: judgement, viaFirstOf: [route.tunnelRoute])
        }
        // To the parent itself, which was configured: no rule for targets has a say.
        let snapshot = judgement.snapshot
        let tls = parent.scheme == .https ? parent.tls ?? snapshot.configuration.upstreamTLS : nil
        return try snapshot.dialer.plan(to: parent.authority, via: .direct, tls: tls)
    }

    /// Looks at the addresses of a target that a parent will dial; nil when there is nothing to look at.
    func check(_ judgement: Judgement, on eventLoop: any EventLoop) -> EventLoopFuture<Void>? {
        let target = judgement.request.target
        guard judgement.dependsOnAddress, case .name = target.host else { return nil }
        return TargetCheck.run(
            target, names: self.names, on: eventLoop, filter: judgement.addressFilter)
    }
}
