package import ProxyAuth
package import ProxyRoutes

/// What a dial shows of itself while it goes on, for whoever explains it to a person.
package enum DialTrace: Sendable {
    /// A phase begins.
    case entered(TunnelError.Phase)
    /// A 407 of this proxy, with what it offers.
    case challenged(ProxyHop, [Challenge])
    /// A request to this proxy carries credentials, by this scheme.
    case answered(ProxyHop, scheme: String)
}
