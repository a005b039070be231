public import WebSocketWire

/// The hook for a user's own cookie store; this library keeps no cookies.
public struct WebSocketCookies: Sendable {
    /// Returns the value of the `Cookie` field for the upgrade at a URL, as `a=1; b=2`; nil for none. Asked anew for
    /// each redirect. A `Cookie` among the configured header fields goes before it.
    public var forRequest: @Sendable (WebSocketURL) async -> String?
    /// Told the values of `Set-Cookie` in every answer to an upgrade, refusals and redirects included.
    public var received: @Sendable ([String], WebSocketURL) async -> Void

    /// A store that answers with `forRequest` and is told by `received`.
    public init(
        forRequest: @escaping @Sendable (WebSocketURL) async -> String?,
        received: @escaping @Sendable ([String], WebSocketURL) async -> Void = { _, _ in }
    ) {
        self.forRequest = forRequest
        self.received = received
    }
}
