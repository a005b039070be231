import CulvertTunnel
import Foundation
import HTTPWire

/// Why a way was chosen, in words.
enum DoctorReasons {
    static func reason(_ setting: ProxySetting, _ target: DoctorTarget) -> String {
        switch setting {
        case .none: "--proxy none: direct"
        case .hops: "--proxy is given; the environment is not asked"
        case .rules(let rules):
            "the rule \(rules.rule(for: target.authority).map { "\($0.pattern)" } ?? "") of --route decides"
        case .script(let script): "the proxy script \(script.source) decides"
        case .resolver: "the program decides"
        case .variables(let variables): self.reason(variables, target)
        }
    }

    /// Which variable decides, and those that are set beside it; values without credentials.
    private static func reason(_ variables: [String: String], _ target: DoctorTarget) -> String {
        let environment = EnvironmentProxies(variables)
        let found = environment.found.map { name, value in "\(name)=\(self.redacted(name, value))" }
        let all = found.isEmpty ? "no proxy variable is set" : found.joined(separator: " ")
        switch environment.decision(for: target.authority, scheme: target.scheme) {
        case .variable(let name): return "\(name) decides (\(all))"
        case .emptyVariable(let name): return "\(name) is empty, which means direct (\(all))"
        case .noProxy: return "no_proxy lists \(target.authority), or it is this machine: direct (\(all))"
        case .nothing: return "\(all): direct"
        }
    }

    private static func redacted(_ name: String, _ value: String) -> String {
        if name == "no_proxy" { return value }
        return (try? ProxyHop(value))?.description ?? (value.isEmpty ? "" : "<unusable>")
    }

    static func seconds(_ duration: Duration) -> Double {
        ((duration / .milliseconds(100)).rounded()) / 10
    }
}
