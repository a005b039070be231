import CulvertTunnel
import HTTPTypes
import Synchronization

/// The trace of one dial, and the steps it comes to.
final class DoctorTrace: Sendable {
    private struct Item {
        let trace: DialTrace
        let at: ContinuousClock.Instant
    }

    private let state = Mutex<(items: [Item], end: ContinuousClock.Instant?)>(([], nil))

    func add(_ trace: DialTrace) {
        self.state.withLock { $0.items.append(Item(trace: trace, at: .now)) }
    }

    func end() {
        self.state.withLock { $0.end = $0.end ?? .now }
    }

    /// Adds a step for each phase, the last of which may have failed.
    ///
    /// - Parameter isPassedOver: the failure is none of the walk: another way is next.
    func tell(
        of route: Route, error: TunnelError?, isPassedOver: Bool = false, _ report: inout DoctorReport
    ) {
        let (items, end) = self.state.withLock { ($0.items, $0.end ?? .now) }
        for (index, item) in items.enumerated() {
            let next = items[(index + 1)...].first { if case .entered = $0.trace { true } else { false } }
            let isLast = next == nil
            let took = item.at.duration(to: next?.at ?? end)
            switch item.trace {
            case .entered(let phase) where !isLast || error == nil:
                self.succeeded(phase, route, took: took, &report)
            case .entered: break
            case .challenged(let hop, let challenges):
                let offered = challenges.map(\.description).joined(separator: ", ")
                report.add(
                    .authentication, .note,
                    "\(hop) answered 407 and offers \(offered); at hand: \(Self.credentials(for: hop, in: route))"
                )
            case .answered(let hop, let scheme):
                report.add(.authentication, .note, "credentials sent to \(hop) by \(scheme)")
            }
        }
        if let error { self.failed(error, isPassedOver: isPassedOver, &report) }
    }

    private func succeeded(
        _ phase: TunnelError.Phase, _ route: Route, took: Duration, _ report: inout DoctorReport
    ) {
        switch phase {
        // The lookup has a step of its own, with the addresses.
        case .configuration, .resolve, .targetTLS: break
        case .connect:
            let peer = route.hops.first.map { "proxy \($0)" } ?? "the target"
            report.add(.connect, .ok, "TCP with \(peer)", took: took)
        case .proxyTLS(let hop): report.add(.proxyTLS, .ok, "TLS with \(hop)", took: took)
        case .proxyConnect(let hop):
            report.add(
                .tunnel, .ok,
                hop.scheme.isSOCKS ? "\(hop) connected (SOCKS)" : "\(hop) opened the tunnel (CONNECT)",
                took: took)
        }
    }

    private func failed(_ error: TunnelError, isPassedOver: Bool, _ report: inout DoctorReport) {
        let phase: DoctorPhase =
            switch (error.phase, error.code) {
            case (.configuration, _), (_, .invalidConfiguration): .configuration
            case (.resolve, _), (_, .nameNotResolved): .nameLookup
            case (.connect, _): .connect
            case (.proxyTLS, _): .proxyTLS
            case (.proxyConnect, .authenticationFailed): .authentication
            case (.proxyConnect, .refusedByProxy) where error.refusal?.response.status.code == 407:
                .authentication
            case (.proxyConnect, _): .tunnel
            case (.targetTLS, _): .targetTLS
            }
        report.add(
            phase, isPassedOver ? .note : .failed,
            isPassedOver ? "\(error.detail); the next way is tried" : CommandFailure(error).message,
            advice: isPassedOver ? nil : Self.advice(phase, error))
    }

    private static func credentials(for hop: ProxyHop, in route: Route) -> String {
        let known = route.hops.first { $0.authority == hop.authority }?.credentials ?? hop.credentials
        guard let known else { return "no credentials" }
        if known.token != nil { return "a bearer token" }
        return "user \(known.user) with a \(known.ntHash == nil ? "password" : "password's hash")"
    }

    private static func advice(_ phase: DoctorPhase, _ error: TunnelError) -> String? {
        switch phase {
        case .nameLookup: "is the name right, and does this machine's name server know it?"
        case .connect: "is the port right, does the proxy run, and does a firewall let this machine reach it?"
        case .proxyTLS:
            "an https proxy with a private authority needs --proxy-ca FILE; one without TLS is http://"
        case .authentication: "put user and password into the proxy's URL, or use --proxy-credentials"
        case .tunnel:
            error.code == .refusedByProxy
                ? "the proxy's rules do not allow this host or port"
                : "is that an HTTP proxy? SOCKS is socks5h://"
        case .configuration, .targetTLS, .upgrade, .idle: nil
        }
    }
}
