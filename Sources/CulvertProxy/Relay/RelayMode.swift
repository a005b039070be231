/// Which engine moves the bytes of tunnels, and whose threads open them.
public enum RelayMode: String, Sendable, Hashable, CaseIterable {
    /// `splice` where it can be used, else `copy`. Where it can, its threads also accept connections, and open plain
    /// CONNECT tunnels that nobody has to be asked about by themselves.
    case auto
    /// Linux' `splice(2)` for every tunnel between plain sockets; the server does not start where the system has none.
    case splice
    /// Through the proxy's memory, always.
    case copy
}
