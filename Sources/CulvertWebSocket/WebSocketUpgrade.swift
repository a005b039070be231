public import HTTPTypes
public import NIOCore
import WebSocketWire

/// A client's request for a WebSocket, checked by RFC 6455 §4.2.1 and waiting for the application's answer.
///
/// Answer it once. Without an answer the client gets 503 at the end of ``WebSocketUpgradeOptions/openTimeout``.
public struct WebSocketUpgrade: Sendable {
    /// The request; its path is the target as the client wrote it.
    public let request: HTTPRequest
    /// What the client offers, in its order of preference.
    public let subprotocols: [String]
    /// The address at the other end of the socket.
    public let remoteAddress: SocketAddress?

    private let handshake: ServerHandshake
    private let handler: NIOLoopBound<WebSocketUpgradeHandler>

    init(
        _ handshake: ServerHandshake, remoteAddress: SocketAddress?,
        handler: NIOLoopBound<WebSocketUpgradeHandler>
    ) {
        self.request = handshake.request.httpRequest
        self.subprotocols = handshake.subprotocols
        self.remoteAddress = remoteAddress
        self.handshake = handshake
        self.handler = handler
    }

    /// Answers 101. Whoever takes the socket closes it: ``WebSocket/close(_:reason:)``.
    ///
    /// - Parameters:
    ///   - subprotocol: one of those offered; one that was not offered counts as none. Nil leaves the choice to
    ///     ``WebSocketUpgradeOptions/subprotocols``.
    ///   - headerFields: added to the 101.
    /// - Throws: ``WebSocketError/connectionLost(_:)`` when the client is gone or its request answered already.
    public func accept(
        subprotocol: String? = nil, headerFields: HTTPFields = [:]
    ) async throws -> WebSocket {
        let (handler, handshake) = (self.handler, self.handshake)
        return try await handler.eventLoop.submit {
            try handler.value.accept(handshake, subprotocol: subprotocol, fields: headerFields)
        }.get()
    }

    /// Answers with another status and a short text, and closes. Does nothing when the client is gone or its request
    /// answered already.
    ///
    /// - Parameters:
    ///   - status: such as 401 or 403.
    ///   - reason: one sentence for a person, the body of the answer.
    ///   - headerFields: such as `WWW-Authenticate`.
    public func refuse(_ status: HTTPResponse.Status, reason: String, headerFields: HTTPFields = [:]) {
        let refusal = ServerHandshakeRefusal(status, reason, headerFields)
        let handler = self.handler
        handler.eventLoop.execute { handler.value.refuse(refusal) }
    }
}
