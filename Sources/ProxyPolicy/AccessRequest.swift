public import HTTPWire

/// What rules look at: who asks, from where, for what.
public struct AccessRequest: Sendable, Hashable {
    /// The authenticated user; nil without one.
    public var user: String?
    /// The user's roles.
    public var roles: Set<String>
    /// The client's address; nil on a Unix socket.
    public var client: IPAddress?
    /// The method; a tunnel is a `CONNECT`, also by SOCKS.
    public var method: String
    /// The host and port that are asked for.
    public var target: Authority

    /// A request from its parts.
    public init(
        user: String? = nil, roles: Set<String> = [], client: IPAddress? = nil, method: String = "CONNECT",
        target: Authority
    ) {
        self.user = user
        self.roles = roles
        self.client = client
        self.method = method
        self.target = target
    }
}
