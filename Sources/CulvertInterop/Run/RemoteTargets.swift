/// Somebody's servers on the internet: few requests, one at a time, with a pause between; once a target does not
/// answer it is left alone.
package struct RemoteTargets: Sendable {
    /// The matrix they are shown in.
    package static let section = "public"
    /// The column of plain HTTP targets.
    static let get = "GET"

    private let checks: [CheckRecipe]
    private let route: RouteRecipe

    /// A quarter of a second: nobody's server notices.
    private static let pause = Duration.milliseconds(250)
    /// 256 KiB: an echo page is a few, and what is larger is not asked for by a test.
    private static let maxPageBytes = 256 << 10

    package init(checks: [CheckRecipe], route: RouteRecipe) {
        self.checks = checks
        self.route = route
    }

    package func layout(_ targets: [PublicTarget]) -> Report.Section {
        let webSocket = targets.contains(where: \.isWebSocket) ? self.checks.map(\.name) : []
        let pages = targets.contains { !$0.isWebSocket } ? [Self.get] : []
        return Report.Section(
            name: Self.section, title: "Servers on the internet, through culvert proxy",
            rows: targets.map(\.title), columns: webSocket + pages)
    }

    /// - Parameter fetch: fetches a page and returns its status; reads at most so many bytes of the body.
    package func run(
        _ targets: [PublicTarget], _ runner: PlanRunner,
        fetch: @Sendable (_ url: String, _ maxBytes: Int) async throws -> Int,
        onResult: @Sendable (CheckResult) -> Void
    ) async throws -> [CheckResult] {
        var results: [CheckResult] = []
        for target in targets {
            let found =
                target.isWebSocket
                ? try await self.converse(target, runner) : [await self.get(target, fetch)]
            found.forEach(onResult)
            results += found
            try await Task.sleep(for: Self.pause)
        }
        return results
    }

    private func converse(_ target: PublicTarget, _ runner: PlanRunner) async throws -> [CheckResult] {
        var results: [CheckResult] = []
        for check in self.checks {
            var plan = Plan()
            plan.items = [
                Plan.Item(
                    section: Self.section, row: target.title, column: check.name, server: .remote(target),
                    route: self.route, transport: target.url.hasPrefix("wss") ? .wss : .ws, check: check)
            ]
            if let down = results.map(\.verdict).first(where: Self.isUnreachable) {
                // Not asked again, and no check of it passes unseen.
                results += results.filter { $0.column == self.checks[0].name }.map { first in
                    var result = first
                    result.column = check.name
                    result.verdict = down
                    result.duration = .zero
                    return result
                }
                continue
            }
            results += try await runner.run(plan).map { result in
                var result = result
                result.verdict = Self.judged(result.verdict)
                return result
            }
            try await Task.sleep(for: Self.pause)
        }
        return results
    }

    private func get(
        _ target: PublicTarget, _ fetch: @Sendable (String, Int) async throws -> Int
    ) async -> CheckResult {
        var verdict = Verdict.pass
        let duration = await ContinuousClock().measure {
            do {
                let status = try await fetch(target.url, Self.maxPageBytes)
                if !(200..<400).contains(status) { verdict = .fail(.mismatch, "answered \(status)") }
            } catch let failure as InteropFailure {
                verdict = Self.judged(.fail(failure.cause, failure.detail))
            } catch {
                verdict = .fail(.other, "\(error)")
            }
        }
        return CheckResult(
            section: Self.section, row: target.title, column: Self.get, client: "libcurl", verdict: verdict,
            duration: duration)
    }

    private static func isUnreachable(_ verdict: Verdict) -> Bool {
        if case .unavailable(.unreachable, _) = verdict { true } else { false }
    }

    /// A stranger's server that cannot be reached says nothing of us; what goes wrong later does.
    package static func judged(_ verdict: Verdict) -> Verdict {
        guard case .fail(let cause, let detail) = verdict else { return verdict }
        switch cause {
        case .nameNotResolved, .connectFailed, .timedOut, .proxyRefused(status: 502),
            .proxyRefused(status: 503),
            .proxyRefused(status: 504):
            return .unavailable(.unreachable, "\(cause): \(detail)")
        case .proxyRefused, .proxyAuthentication, .proxyTLSFailed, .tlsFailed, .upgradeRefused,
            .protocolViolation, .connectionLost, .mismatch, .other:
            return verdict
        }
    }
}
