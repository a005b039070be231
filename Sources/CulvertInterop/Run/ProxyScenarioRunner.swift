/// Runs a ``ProxyScenario``.
package enum ProxyScenarioRunner {
    /// Per request: 16 MiB through a debug build on a busy machine.
    private static let timeout = Duration.seconds(60)

    /// - Returns: how it came out; a task that is cancelled fails with that.
    package static func run(
        _ scenario: ProxyScenario, environment: ProxyScenarioEnvironment
    ) async -> Verdict {
        if let lack = Self.lack(of: scenario.requirements, environment) {
            return .unavailable(.unsupported, lack)
        }
        do {
            let address = try await environment.proxy(scenario.flavour)
            let multi = try CurlMulti()
            let found = await Self.firstDeviation(of: scenario, address, environment, multi)
            await multi.end()
            return found.map { .fail($0.cause, $0.detail) } ?? .pass
        } catch let failure as InteropFailure {
            return .fail(failure.cause, failure.detail)
        } catch {
            return .fail(.other, "\(error)")
        }
    }

    private static func lack(
        of requirements: [ProxyScenario.Requirement], _ environment: ProxyScenarioEnvironment
    ) -> String? {
        for requirement in requirements {
            switch requirement {
            case .proxy(let feature) where !environment.features.contains(feature):
                return feature.lack
            case .curl(let feature):
                if let lack = CurlLibrary.current.lack(of: feature) { return lack }
            case .proxy: break
            }
        }
        return nil
    }

    private static func firstDeviation(
        of scenario: ProxyScenario, _ address: ProxyAddress, _ environment: ProxyScenarioEnvironment,
        _ multi: CurlMulti
    ) async -> InteropFailure? {
        for (index, request) in scenario.requests.enumerated() {
            guard let found = await Self.deviation(of: request, address, environment, multi) else { continue }
            let place = scenario.requests.count > 1 ? "request \(index + 1): " : ""
            return InteropFailure(found.cause, place + found.detail)
        }
        return nil
    }

    /// What is wrong with how a request came out; nil when nothing is.
    private static func deviation(
        of request: ProxyScenarioRequest, _ address: ProxyAddress, _ environment: ProxyScenarioEnvironment,
        _ multi: CurlMulti
    ) async -> InteropFailure? {
        do {
            if request.webSocket != nil {
                return try await ProxyScenarioWebSocket.deviation(of: request, address, environment)
            }
            let outcomes = try await Self.outcomes(of: request, address, environment, multi)
            for outcome in outcomes {
                if let found = request.expect.deviation(of: outcome, upload: request.upload) { return found }
            }
            return request.expect.deviation(
                ofConnections: outcomes.reduce(0) { $0 + $1.newConnections })
        } catch let failure as InteropFailure {
            return failure
        } catch {
            return InteropFailure(.other, "\(error)")
        }
    }

    private static func outcomes(
        of request: ProxyScenarioRequest, _ address: ProxyAddress, _ environment: ProxyScenarioEnvironment,
        _ multi: CurlMulti
    ) async throws -> [CurlOutcome] {
        let options = request.curlOptions(address, environment)
        guard request.isParallel else {
            var outcomes: [CurlOutcome] = []
            for _ in 0..<request.count {
                outcomes.append(try await multi.perform(CurlEasy(options), timeout: Self.timeout))
            }
            return outcomes
        }
        return try await withThrowingTaskGroup(of: CurlOutcome.self) { group in
            for _ in 0..<request.count {
                group.addTask { try await multi.perform(CurlEasy(options), timeout: Self.timeout) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

extension ProxyScenario.ProxyFeature {
    /// Why scenarios that need it are not run.
    fileprivate var lack: String {
        switch self {
        case .forward: "culvert proxy has no forwarding of plain HTTP"
        case .socks: "culvert proxy has no SOCKS"
        case .tlsListener: "culvert proxy has no TLS listener"
        case .http2Listener: "culvert proxy has no HTTP/2"
        case .proxyProtocol: "culvert proxy has no PROXY protocol"
        case .digestUsers: "culvert proxy has no Digest for its users"
        case .ntlmUsers: "culvert proxy has no NTLM for its users"
        case .negotiateUsers: "this run has no key server of Kerberos; the end-to-end tests have one"
        }
    }
}
