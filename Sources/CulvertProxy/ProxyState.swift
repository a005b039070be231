/// Where a proxy is in its life.
package enum ProxyState: String, Sendable, CaseIterable {
    /// It does not listen yet.
    case starting
    /// It accepts connections.
    case serving
    /// It was told to stop: open tunnels may finish.
    case draining
    /// It is over.
    case stopped
}
