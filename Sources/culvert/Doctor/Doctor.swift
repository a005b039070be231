import CulvertTunnel
import CulvertWebSocket
import Foundation
import HTTPWire
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// One walk along the way out.
struct Doctor {
    private let command: DoctorCommand
    private let target: DoctorTarget
    private let notices = DoctorNotices()

    init(_ command: DoctorCommand) {
        self.command = command
        self.target = command.target
    }

    func examine() async -> DoctorReport {
        var report = DoctorReport(target: self.target.text)
        guard let (dialer, routes) = await self.choose(&report) else { return report }
        guard let route = await self.walk(routes, dialer, &report) else { return report }
        report.route = route.description
        if self.target.isSecure { await self.checkTLS(route, dialer, &report) }
        guard report.failed == nil else { return report }
        if self.target.isWebSocket { await self.checkUpgrade(route, &report) }
        guard report.failed == nil, let idle = self.command.idle?.duration else { return report }
        await self.checkIdle(route, dialer, idle, &report)
        return report
    }

    // MARK: Which way

    private func choose(_ report: inout DoctorReport) async -> (Dialer, [Route])? {
        do {
            let setting = try self.command.client.proxySetting(isTold: false)
            let dialer = Dialer(try self.configuration(setting))
            let routes = try await dialer.routes(
                to: self.target.authority, setting, scheme: self.target.scheme)
            report.add(.configuration, .ok, DoctorReasons.reason(setting, self.target))
            for notice in self.notices.taken { report.add(.configuration, .note, notice) }
            let names = routes.map(\.description).joined(separator: ", then ")
            report.add(.configuration, .ok, "the way to \(self.target.authority): \(names)")
            return (dialer, routes)
        } catch {
            let message = (error as? TunnelError)?.detail ?? "\(error)"
            report.add(
                .configuration, .failed, message,
                advice: "see 'culvert help doctor' for --proxy, --route and --pac")
            return nil
        }
    }

    private func configuration(_ setting: ProxySetting) throws -> TunnelClient.Configuration {
        try .init {
            $0.proxy = setting
            $0.openTimeout = self.command.client.openTimeout.duration
            $0.proxyTLS = self.command.client.proxyTLS
            $0.connectFields = try self.command.client.connectFields()
            $0.proxyCredentials = self.command.client.credentialProvider
            $0.proxyAuthentication = self.command.client.proxyAuthentication
            $0.onNotice = { [notices] in notices.add($0) }
        }
    }

    // MARK: To the target's door

    /// - Returns: the first way whose tunnel stands.
    private func walk(_ routes: [Route], _ dialer: Dialer, _ report: inout DoctorReport) async -> Route? {
        for (index, route) in routes.enumerated() {
            let hasNext = index + 1 < routes.count
            switch await self.walk(route, dialer, hasNext: hasNext, &report) {
            case .success(let known): return known
            case .failure(let error) where hasNext && !route.hops.isEmpty && error.isUnreachableProxy:
                continue
            case .failure: return nil
            }
        }
        return nil
    }

    private func walk(
        _ route: Route, _ dialer: Dialer, hasNext: Bool, _ report: inout DoctorReport
    ) async -> Result<Route, TunnelError> {
        let trace = DoctorTrace()
        do {
            let known = try await dialer.withCredentials(route)
            await self.lookUp(known.hops.first?.authority ?? self.target.authority, &report)
            var plan = try dialer.plan(to: self.target.authority, via: known, tls: nil)
            plan.onTrace = { trace.add($0) }
            let channel = try await dialer.dial(plan) { $0 }
            trace.end()
            try? await channel.close()
            trace.tell(of: known, error: nil, &report)
            return .success(known)
        } catch {
            trace.end()
            let error = error as? TunnelError ?? .configuration("\(error)", underlying: error)
            trace.tell(of: route, error: error, isPassedOver: hasNext && error.isUnreachableProxy, &report)
            return .failure(error)
        }
    }

    /// Only tells; the dial looks the name up by itself and says what fails.
    private func lookUp(_ peer: Authority, _ report: inout DoctorReport) async {
        guard case .name(let name) = peer.host else { return }
        let start = ContinuousClock.now
        let addresses = try? await NameLookup.addresses(
            of: name, on: MultiThreadedEventLoopGroup.singleton.any()
        ).get()
        guard let addresses, !addresses.isEmpty else { return }
        var seen: [String] = []
        for address in addresses.map(\.description) where !seen.contains(address) { seen.append(address) }
        report.add(
            .nameLookup, .ok, "\(name): \(seen.joined(separator: ", "))", took: ContinuousClock.now - start)
    }

    // MARK: Through it

    private func checkTLS(_ route: Route, _ dialer: Dialer, _ report: inout DoctorReport) async {
        let start = ContinuousClock.now
        do {
            let issuer = try await self.issuer(route, dialer, self.command.client.tls)
            report.add(
                .targetTLS, .ok,
                "\(self.target.authority.host) has a certificate from \(issuer), which is trusted",
                took: ContinuousClock.now - start)
        } catch {
            await self.explainTLS(error, route, dialer, &report)
        }
    }

    private func issuer(_ route: Route, _ dialer: Dialer, _ tls: TLSOptions) async throws -> String {
        let plan = try dialer.plan(to: self.target.authority, via: route, tls: tls)
        return try await dialer.dial(plan) { channel in
            let handler = try channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
            let issuer = handler.peerCertificate.flatMap { CertificateIssuer($0) }
            channel.close(promise: nil)
            return issuer?.description ?? "nobody who can be named"
        }
    }

    /// A certificate from nobody who is trusted is looked at once more: its issuer has a name.
    private func explainTLS(
        _ error: any Error, _ route: Route, _ dialer: Dialer, _ report: inout DoctorReport
    ) async {
        let detail = (error as? TunnelError)?.detail ?? "\(error)"
        var unverified = self.command.client.tls
        unverified.isUnverified = true
        guard "\(detail)".contains("CERTIFICATE_VERIFY_FAILED"),
            let issuer = try? await self.issuer(route, dialer, unverified)
        else { return report.add(.targetTLS, .failed, detail) }
        let roots = self.command.client.ca.map { "in \($0)" } ?? "a public root of this system"
        report.add(
            .targetTLS, .failed,
            "the certificate for \(self.target.authority.host) comes from \(issuer), which is not \(roots): "
                + (route.hops.isEmpty
                    ? "the server has a private authority, or TLS is intercepted on the way"
                    : "the proxy intercepts TLS, or the server has a private authority"),
            advice: "if that is meant to be, give the authority's certificate in PEM with --ca FILE")
    }

    private func checkUpgrade(_ route: Route, _ report: inout DoctorReport) async {
        let start = ContinuousClock.now
        do {
            let answer = try await self.webSocketClient(route).withConnection(to: self.target.text) {
                socket in
                socket.response.statusText
            }
            report.add(
                .upgrade, .ok, "the server opened the WebSocket: \(answer)", took: ContinuousClock.now - start
            )
        } catch {
            report.add(
                .upgrade, .failed, CommandFailure(error).message,
                advice:
                    "the tunnel works; the server, its path or what stands before it does not take WebSockets"
            )
        }
    }

    private func webSocketClient(_ route: Route) throws -> WebSocketClient {
        let configuration = try self.configuration(.hops(route.hops))
        return WebSocketClient(
            configuration: .init {
                $0.proxy = configuration.proxy
                $0.openTimeout = configuration.openTimeout
                $0.tls = self.command.client.tls
                $0.proxyTLS = configuration.proxyTLS
                $0.connectFields = configuration.connectFields
                $0.proxyAuthentication = configuration.proxyAuthentication
                $0.keepalive = nil
            })
    }

    // MARK: Staying there

    private func checkIdle(
        _ route: Route, _ dialer: Dialer, _ limit: Duration, _ report: inout DoctorReport
    ) async {
        let start = ContinuousClock.now
        do {
            let isCut = try await self.isCut(route, dialer, within: limit)
            let after = DoctorReasons.seconds(ContinuousClock.now - start)
            if isCut {
                report.add(
                    .idle, .failed,
                    "the idle connection was cut after \(after) s, by the proxy or the server",
                    advice: "send something more often: culvert ws --ping-interval")
            } else {
                report.add(.idle, .ok, "the idle connection still stands after \(after) s")
            }
        } catch {
            report.add(.idle, .failed, CommandFailure(error).message)
        }
    }

    private func isCut(_ route: Route, _ dialer: Dialer, within limit: Duration) async throws -> Bool {
        if self.target.isWebSocket {
            return try await self.webSocketClient(route).withConnection(to: self.target.text) { socket in
                try await Self.ends(within: limit) {
                    for try await _ in socket {}
                }
            }
        }
        let tls = self.target.isSecure ? self.command.client.tls : nil
        return try await dialer.withStream(to: self.target.authority, via: .hops(route.hops), tls: tls) {
            stream in
            try await Self.ends(within: limit) {
                for try await _ in stream {}
            }
        }
    }

    private static func ends(
        within limit: Duration, _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                // However it ends, a reset included, it was cut.
                try? await body()
                return true
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }
}
