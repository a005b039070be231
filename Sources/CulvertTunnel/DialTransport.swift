package import NIOCore

/// What carries the bytes to the first peer.
package enum DialTransport: Sendable {
    /// TCP to the first proxy or the target.
    case network
    /// A Unix domain socket in place of TCP; no proxies.
    case unixSocket(String)
    /// A connected channel of the caller's; no proxies.
    case channel(any Channel)
}
