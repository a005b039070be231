/// Runs a plan: every item with every client, several items at once.
package struct PlanRunner: Sendable {
    private let site: any Site
    private let proxies: [String: ProxyRecipe]
    private let clients: [any InteropClient]
    private let jobs: Int
    /// Over one check: a peer that hangs is a failure, not the end of the run.
    private let timeLimit: Duration
    private let onResult: @Sendable (CheckResult) -> Void

    /// - Parameters:
    ///   - clients: in the order they run in: oracles first.
    ///   - jobs: items at a time.
    ///   - timeLimit: over one check with one client.
    ///   - onResult: told each result as it comes, from any thread.
    package init(
        site: any Site, proxies: [ProxyRecipe], clients: [any InteropClient], jobs: Int, timeLimit: Duration,
        onResult: @escaping @Sendable (CheckResult) -> Void = { _ in }
    ) {
        self.site = site
        self.proxies = Dictionary(proxies.map { ($0.peer.name, $0) }) { $1 }
        self.clients = clients
        self.jobs = max(1, jobs)
        self.timeLimit = timeLimit
        self.onResult = onResult
    }

    /// The results, in the plan's order. What fails is tried once more, alone, when all else is done: then the second
    /// result counts, and says what was wrong with the first.
    ///
    /// - Throws: `CancellationError`.
    package func run(_ plan: Plan) async throws -> [CheckResult] {
        let results = try await withThrowingTaskGroup(of: (Int, [CheckResult]).self) { group in
            var results: [Int: [CheckResult]] = [:]
            for (index, item) in plan.items.enumerated() {
                if index >= self.jobs, let (done, found) = try await group.next() { results[done] = found }
                group.addTask {
                    let first = try await self.run(item)
                    if !first.contains(where: \.hasFailed) { first.forEach(self.onResult) }
                    return (index, first)
                }
            }
            for try await (done, found) in group { results[done] = found }
            return results
        }
        var final: [CheckResult] = []
        for (index, item) in plan.items.enumerated() {
            let first = results[index] ?? []
            final += first.contains(where: \.hasFailed) ? try await self.runAgain(item, after: first) : first
        }
        return final
    }

    private func runAgain(_ item: Plan.Item, after first: [CheckResult]) async throws -> [CheckResult] {
        var second = try await self.run(item)
        for (index, before) in zip(second.indices, first) {
            if case .fail(let cause, let detail) = before.verdict {
                second[index].firstFailure = "\(cause): \(detail)"
            }
        }
        second.forEach(self.onResult)
        return second
    }

    private func run(_ item: Plan.Item) async throws -> [CheckResult] {
        var results: [CheckResult] = []
        var oracle: Cause?
        for client in self.clients {
            try Task.checkCancellation()
            var verdict = Verdict.pass
            let duration = await ContinuousClock().measure {
                let outcome = await self.attempt(item, client)
                verdict = Judgement(item, oracle: oracle, isOracle: client.isOracle).verdict(outcome)
                if case .failed(let failure) = outcome, client.isOracle, oracle == nil {
                    oracle = failure.cause
                }
            }
            let result = CheckResult(
                section: item.section, row: item.row, column: item.column, client: client.name,
                variant: item.transport.rawValue, verdict: verdict, duration: duration)
            results.append(result)
        }
        return results
    }

    private func attempt(_ item: Plan.Item, _ client: any InteropClient) async -> Outcome {
        if let reason = self.lack(item, client) { return .unavailable(.unsupported, reason) }
        let check = Check(recipe: item.check, server: item.server)
        do {
            let request = try await self.request(item)
            try await withTimeLimit(self.timeLimit) { try await check.run(client, request) }
            return .succeeded
        } catch let error as PeerMissing {
            return .unavailable(.missing, error.description)
        } catch let failure as InteropFailure {
            return .failed(failure)
        } catch {
            return .failed(InteropFailure(.other, "\(error)"))
        }
    }

    private func lack(_ item: Plan.Item, _ client: any InteropClient) -> String? {
        let hops = item.route.hops.compactMap { self.proxies[$0] }
        if let reason = item.server.lack(of: item.check.name) { return "\(item.server.title): \(reason)" }
        if let reason = hops.compactMap({ $0.lacks[item.check.name] }).first {
            return "\(item.route.title): \(reason)"
        }
        if case .refuse(let obstacle) = item.check.action,
            obstacle == .wrongPassword || obstacle == .noPassword,
            !hops.contains(where: { $0.credentials != nil })
        {
            return "\(item.route.title) asks for no password"
        }
        return self.features(item, hops).lazy.compactMap { client.lack(of: $0) }.first
    }

    /// What the client has to be able to do for an item.
    private func features(_ item: Plan.Item, _ hops: [ProxyRecipe]) -> [ClientFeature] {
        var features = [ClientFeature.webSocket]
        if let feature = Check(recipe: item.check, server: item.server).feature { features.append(feature) }
        if hops.count > 1 { features.append(.chains) }
        for hop in hops {
            switch hop.scheme {
            case .http2: features.append(.http2Proxy)
            case .socks5h: features.append(.socks)
            case .http, .https: break
            }
            if hop.authentication == .digest { features.append(.digest) }
        }
        return features
    }

    private func request(_ item: Plan.Item) async throws -> SocketRequest {
        var request: SocketRequest
        if case .refuse(let obstacle) = item.check.action {
            request = SocketRequest(url: try await self.site.url(behind: obstacle, item.transport))
        } else {
            request = SocketRequest(url: try await self.site.url(of: item.server, item.transport))
        }
        request.proxies = try await self.site.proxies(of: item.route)
        request.authority = self.site.authority
        request.subprotocols = item.server.subprotocol.map { [$0] } ?? []
        guard case .refuse(let obstacle) = item.check.action else { return request }
        for index in request.proxies.indices where request.proxies[index].user != nil {
            switch obstacle {
            case .wrongPassword: request.proxies[index].password = "wrong"
            case .noPassword:
                request.proxies[index].user = nil
                request.proxies[index].password = nil
            case .otherAuthority, .wrongName, .expired, .closedPort, .unknownName, .notFound: break
            }
        }
        return request
    }
}

/// What came of an attempt, before it is judged.
enum Outcome: Sendable, Hashable {
    case succeeded
    case failed(InteropFailure)
    case unavailable(Unavailability, String)
}

/// Runs `body`; after `limit` it is cancelled and `InteropFailure` tells so.
func withTimeLimit(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw InteropFailure(.timedOut, "not done within \(limit)")
        }
        defer { group.cancelAll() }
        try await group.next()
    }
}

extension CheckResult {
    fileprivate var hasFailed: Bool {
        if case .fail = self.verdict { return true }
        return false
    }
}
