package import HTTPWire

/// The proxies that the environment names: `http_proxy`, `https_proxy`, `ws_proxy`, `wss_proxy`, `all_proxy` and
/// `no_proxy`.
package struct EnvironmentProxies: Sendable {
    /// What the target speaks: it chooses the variable.
    package enum TargetScheme: String, Sendable, Hashable, CaseIterable {
        case ws, wss, http, https

        /// Whether it is spoken inside TLS.
        package var isSecure: Bool { self == .wss || self == .https }

        /// Where its servers listen.
        package var defaultPort: UInt16 { self.isSecure ? 443 : 80 }

        /// The variables in the order they are asked.
        var variables: [String] {
            switch self {
            case .ws: ["ws_proxy", "http_proxy", "all_proxy"]
            case .wss: ["wss_proxy", "https_proxy", "all_proxy"]
            case .http: ["http_proxy", "all_proxy"]
            case .https: ["https_proxy", "all_proxy"]
            }
        }
    }

    /// What the user should be told of the variables.
    package let warnings: [String]

    private let noProxy: NoProxy
    private let variables: [String: String]

    /// Takes the environment as a value; nothing is read from the process.
    package init(_ environment: [String: String]) {
        var warnings: [String] = []
        var variables: [String: String] = [:]
        for name in ["ws_proxy", "wss_proxy", "http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            if let value = environment[name] {
                variables[name] = value
            } else if let value = environment[name.uppercased()] {
                // In a CGI process HTTP_PROXY is the request's `Proxy:` field, an attacker's to set (httpoxy).
                if name == "http_proxy", environment["REQUEST_METHOD"] != nil {
                    warnings.append(
                        "HTTP_PROXY is ignored because REQUEST_METHOD is set; use http_proxy instead")
                } else {
                    variables[name] = value
                }
            }
        }
        self.noProxy = NoProxy(variables["no_proxy"] ?? "")
        self.variables = variables
        self.warnings = warnings + self.noProxy.warnings
    }

    /// What decides on a target.
    package enum Decision: Sendable, Hashable {
        case variable(String)
        case emptyVariable(String)
        /// `no_proxy` lists it, or it is this machine.
        case noProxy
        case nothing
    }

    /// Which variable decides on a target, by its lower-case name.
    package func decision(for target: Authority, scheme: TargetScheme) -> Decision {
        guard let name = scheme.variables.first(where: { self.variables[$0] != nil }) else { return .nothing }
        if self.variables[name]?.isEmpty == true { return .emptyVariable(name) }
        return self.noProxy.matches(target) ? .noProxy : .variable(name)
    }

    /// The variables that are set, by lower-case name, with values that may hold passwords.
    package var found: [(name: String, value: String)] {
        self.variables.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The route to a target. An empty variable means no proxy, also where a later one names one.
    ///
    /// - Returns: the route, and what was assumed of the variable's value.
    /// - Throws: ``EnvironmentProxyError`` when the variable's value is unusable; it is never silently direct.
    package func route(
        to target: Authority,
        scheme: TargetScheme
    ) throws(EnvironmentProxyError) -> (route: Route, assumptions: [String]) {
        guard case .variable(let name) = self.decision(for: target, scheme: scheme),
            let value = self.variables[name]
        else { return (.direct, []) }
        do {
            let parsed = try ProxyHop.parse(value)
            return (Route([parsed.hop]), parsed.assumptions.map { "\(name): \($0)" })
        } catch {
            throw EnvironmentProxyError(variable: name, problem: error)
        }
    }
}

/// A proxy variable whose value cannot be used.
public struct EnvironmentProxyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The variable, in lower case.
    public let variable: String
    /// What is wrong with its value.
    public let problem: ProxyURLError

    /// The variable and the problem.
    public var description: String { "\(self.variable): \(self.problem)" }
}
