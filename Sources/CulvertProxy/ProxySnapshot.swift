import CulvertTunnel
import NIOCore
import NIOSSL
import ProxyPolicy

/// What one reload replaces as a whole: a configuration and what is made of it.
final class ProxySnapshot: Sendable {
    let configuration: ProxyConfiguration
    let policy: AccessPolicy
    let dialer: Dialer
    /// For a dial without a proxy.
    let dialTimeout: TimeAmount
    let rolesOfUsers: [String: Set<String>]
    /// Nil when everybody is let in.
    let authenticator: Authenticator?
    /// TLS of the listeners; the error stops a start or a reload.
    let tls: Result<NIOSSLContext?, TunnelError>

    /// nil where none is spoken.
    var listenerTLS: NIOSSLContext? { (try? self.tls.get()) ?? nil }

    /// - Parameters:
    ///   - health: outlives a reload: which parents could not be reached.
    ///   - names: outlives a reload: which addresses names have.
    init(_ configuration: ProxyConfiguration, health: RouteHealth, names: NameService) {
        self.configuration = configuration
        self.policy = configuration.effectivePolicy
        self.authenticator = Authenticator(configuration)
        self.rolesOfUsers = configuration.roles.reduce(into: [:]) { roles, role in
            for user in role.value { roles[user, default: []].insert(role.key) }
        }
        self.tls = Result { () throws(TunnelError) in try configuration.tls?.makeContext() }
        self.dialer = Dialer(
            .init {
                $0.openTimeout = configuration.connectTimeout
                $0.proxyTLS = configuration.upstreamTLS
                $0.proxyCredentials = configuration.upstreamCredentials
                $0.proxyAuthentication = configuration.upstreamAuthentication
            }, health: health, names: names)
        self.dialTimeout = self.dialer.timeout
    }
}
