import WebSocketWire

/// How an open WebSocket is used, in either role.
struct WebSocketSettings: Sendable {
    var role: WebSocketRole
    var limits: WebSocketLimits
    var inboundWatermarks: WebSocketWatermarks
    var outboundWatermarks: WebSocketWatermarks
    var closeTimeout: Duration
    var keepalive: WebSocketKeepalive?
    var metrics: WebSocketMetrics
}
