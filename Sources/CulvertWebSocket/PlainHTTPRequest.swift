public import HTTPTypes
public import NIOCore

/// A request that asks for no WebSocket, on a connection that a WebSocket server accepted. Answer it once.
public struct PlainHTTPRequest: Sendable {
    /// The request without its body; its path is the target as the client wrote it.
    public let request: HTTPRequest
    /// The address at the other end of the socket.
    public let remoteAddress: SocketAddress?

    private let handler: NIOLoopBound<WebSocketUpgradeHandler>

    init(
        _ request: HTTPRequest, remoteAddress: SocketAddress?,
        handler: NIOLoopBound<WebSocketUpgradeHandler>
    ) {
        self.request = request
        self.remoteAddress = remoteAddress
        self.handler = handler
    }

    /// Answers and closes the connection. Does nothing when the client is gone or its request answered already.
    ///
    /// - Parameters:
    ///   - response: status and fields; `Content-Length` and `Connection` are set here.
    ///   - body: left out in the answer to HEAD.
    public func respond(_ response: HTTPResponse, body: ByteBuffer = ByteBuffer()) {
        let (handler, isHead) = (self.handler, self.request.method == .head)
        handler.eventLoop.execute { handler.value.respond(response, body: body, toHead: isHead) }
    }
}
