import Foundation
public import HTTPWire
public import ProxyRoutes

/// Which proxies a connection goes through.
public enum ProxySetting: Sendable {
    /// The environment variables in this dictionary: `wss_proxy`, `https_proxy`, `all_proxy`, `no_proxy` and their
    /// like; lower case wins over upper case. A stream without a URL is asked for under `https_proxy`.
    case variables([String: String])
    /// No proxy.
    case none
    /// These proxies, for every target, from the nearest to the one that dials the target.
    case hops([ProxyHop])
    /// Rules by target, with routes to fall back on.
    case rules(RouteRules)
    /// A proxy auto-configuration script, asked before the deadline runs: it has its own.
    case script(ProxyScript)
    /// Asked for each target, before the deadline runs: it bounds its own waiting. Of its routes the first is taken whose
    /// first proxy can be reached.
    case resolver(@Sendable (Authority) async throws -> [Route])

    /// The variables of this process' environment.
    public static var environment: ProxySetting {
        .variables(ProcessInfo.processInfo.environment)
    }
}
