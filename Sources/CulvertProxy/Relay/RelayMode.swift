/// Which engine moves the bytes of tunnels.
public enum RelayMode: String, Sendable, Hashable, CaseIterable {
    /// `splice` where it can be used, else `copy`.
    case auto
    /// Linux' `splice(2)` for every tunnel between plain sockets; the server does not start where the system has none.
    case splice
    /// `splice`, and its threads accept connections and open plain CONNECT tunnels to addresses by themselves.
    case front
    /// Through the proxy's memory, always.
    case copy
}
