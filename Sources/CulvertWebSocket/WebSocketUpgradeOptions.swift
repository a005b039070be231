public import HTTPTypes
public import WebSocketWire

/// Which requests a server turns into WebSockets, and how those are used.
public struct WebSocketUpgradeOptions: Sendable {
    /// Whose pages are let in. Those of the server's own host and port by default: a browser sends its cookies
    /// along from any page.
    public var origins = WebSocketOrigins.sameHost
    /// The subprotocols this server speaks. Of those a client offers, its first that is among them is chosen.
    public var subprotocols: [String] = []
    /// Whether to agree when a client offers permessage-deflate (RFC 7692). Off by default, for the reasons told
    /// there.
    public var compression = WebSocketCompression.disabled
    /// Added to the 101, for example cookies.
    public var headerFields: HTTPFields = [:]
    /// What the peer may send.
    public var limits = WebSocketLimits()
    /// Received messages that wait for the consumer: past the high mark the socket is not read.
    public var inboundWatermarks = WebSocketWatermarks(low: 256 * 1024, high: 1024 * 1024)
    /// Sent bytes that wait for the socket: past the high mark `send` suspends.
    public var outboundWatermarks = WebSocketWatermarks(low: 64 * 1024, high: 256 * 1024)
    /// From the accepted connection to the answer of its request: TLS, the request's head and the application's
    /// decision. 30 s: enough for a far client behind a proxy, and an attacker gets no more.
    public var openTimeout: Duration = .seconds(30)
    /// How long the peer may take to answer a close frame before the connection is cut. 5 s: a live peer answers
    /// in a round trip.
    public var closeTimeout: Duration = .seconds(5)

    /// Pings a peer that says nothing, and gives up one that says nothing to that either; nil for never.
    public var keepalive: WebSocketKeepalive? = WebSocketKeepalive()

    /// The defaults.
    public init() {}

    /// The defaults, changed by the closure.
    public init(_ configure: (inout WebSocketUpgradeOptions) throws -> Void) rethrows {
        try configure(&self)
    }

    var settings: WebSocketSettings {
        WebSocketSettings(
            role: .server, limits: self.limits, inboundWatermarks: self.inboundWatermarks,
            outboundWatermarks: self.outboundWatermarks, closeTimeout: self.closeTimeout,
            keepalive: self.keepalive, metrics: .server)
    }
}
