public import HTTPTypes

/// What a server's application says to a request for a WebSocket.
public enum WebSocketUpgradeDecision: Sendable {
    /// 101, with one of the offered subprotocols (nil leaves the choice to ``WebSocketUpgradeOptions/subprotocols``)
    /// and more fields.
    case accept(subprotocol: String? = nil, headerFields: HTTPFields = [:])
    /// Another status, with one sentence for a person and more fields.
    case refuse(HTTPResponse.Status, reason: String, headerFields: HTTPFields = [:])
}
