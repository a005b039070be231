/// What the proxy has to say of one request or tunnel, once it is over.
public struct AccessLogEntry: Sendable, Hashable {
    /// Who ended a tunnel first.
    public enum Closer: String, Sendable, Hashable {
        /// The client half-closed, closed or reset.
        case client
        /// The target, or the parent before it.
        case origin
        /// The proxy: a refusal, the idle timeout or the end of the drain.
        case proxy
    }

    /// When the request's head was complete, in seconds since 1970.
    public var timestamp: Double = 0
    /// The client's address and port.
    public var client = ""
    /// The user, once authenticated.
    public var user: String?
    /// The request's method; empty when the head was not readable.
    public var method = ""
    /// The request's target as it came, cut at 512 bytes.
    public var target = ""
    /// The status of the answer; 0 when the client left before one.
    public var status = 0
    /// Whether the request was let through.
    public var isAllowed = false
    /// The name of the rule that decided, where one with a name did.
    public var rule: String?
    /// Let through by report mode alone: enforced, the rule would have refused it.
    public var wouldBeDenied = false
    /// The limit that the request went beyond, by the name of its setting.
    public var limit: String?
    /// Why: the rule's words, the error, or how the tunnel ended.
    public var reason = ""
    /// The address that was dialled: the one that was checked, or the parent's.
    public var address: String?
    /// The parent that the request went out through, without credentials.
    public var parent: String?
    /// Bytes from the client to the target, inside the tunnel.
    public var bytesUp: UInt64 = 0
    /// Bytes from the target to the client, inside the tunnel.
    public var bytesDown: UInt64 = 0
    /// Looking up names, in milliseconds; part of ``connectMilliseconds``.
    public var resolveMilliseconds: Int64 = 0
    /// From the head to the answer, in milliseconds: name lookup, connect, parents.
    public var connectMilliseconds: Int64 = 0
    /// From the head to the end, in milliseconds.
    public var milliseconds: Int64 = 0
    /// Who ended it.
    public var closedBy = Closer.proxy

    /// An entry of which nothing is known yet.
    public init() {}
}
