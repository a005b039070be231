public import ProxyAuth

/// How a client authenticates with the proxies on its way.
public struct ProxyAuthOptions: Sendable, Hashable {
    /// The schemes that may be spoken, in the order of preference. A proxy cannot talk a client out of what is not
    /// listed: without `.basic` no password crosses in the clear.
    public var schemes: [AuthenticationScheme] = [.negotiate, .digest, .ntlm, .bearer, .basic]
    /// The host in the Kerberos service name `HTTP/host`, where the ticket is for another name than the proxy's
    /// address has.
    public var serviceHost: String?
    /// Sends user name and password (or token) with the first CONNECT, before the proxy asks for them. Saves a round
    /// trip, and shows the password to whatever answers at the proxy's address.
    public var sendsUnasked = false

    /// The defaults.
    public init() {}

    /// The defaults, changed by the closure.
    public init(_ configure: (inout ProxyAuthOptions) throws -> Void) rethrows {
        try configure(&self)
    }
}
