package import HTTPTypes
package import HTTPWire
package import NIOCore
package import WebSocketWire

/// The server's side of a WebSocket, frame by frame, over a ``TCPConnection``.
package struct WebSocketTestPeer: Sendable {
    package let connection: TCPConnection
    package let request: RequestHead
    private let deflate: PerMessageDeflate?

    /// Reads the upgrade and accepts it; `behind` goes out in the same write as the 101.
    package static func accept(
        _ connection: TCPConnection,
        choosing choose: @Sendable ([String]) -> String? = { _ in nil },
        compression: WebSocketCompression = .disabled,
        fields: HTTPFields = [:],
        behind: ByteBuffer = ByteBuffer()
    ) async throws -> WebSocketTestPeer {
        var head = ByteBuffer(string: try await connection.readHead())
        var parser = HeadParser(mode: .strict, limits: .serving)
        guard let request = try parser.parseRequest(&head) else { throw Unexpected(what: "no request") }
        let handshake = try ServerHandshake(request)
        let deflate = handshake.deflate(for: compression)
        let extensions = deflate.map { [$0.parameters.description] } ?? []
        var (response, _) = handshake.accept(
            extensions: extensions, fields: fields, choosing: choose)
        response.writeImmutableBuffer(behind)
        try await connection.write(response)
        return WebSocketTestPeer(connection: connection, request: request, deflate: deflate)
    }

    /// The machine for this connection, for tests that run it themselves.
    package func machine() -> WebSocketMachine {
        WebSocketMachine(
            role: .server, limits: WebSocketLimits(), maskingKey: { 0 }, transform: self.deflate)
    }

    /// Runs the connection as an echo server until it is closed; returns the close that came.
    @discardableResult
    package func echo() async throws -> WebSocketClose? {
        var machine = self.machine()
        while let bytes = try await self.connection.read() {
            machine.receive(bytes)
            var outbound = ByteBuffer()
            actions: while true {
                switch machine.nextAction(outbound: &outbound) {
                case .needMore: break actions
                case .message(let message): try machine.send(message, outbound: &outbound)
                case .ping, .pong, .fragment: break
                case .closing(let close):
                    try await self.connection.write(outbound)
                    return close
                case .failed(let error): throw error
                }
            }
            if outbound.readableBytes > 0 { try await self.connection.write(outbound) }
        }
        return nil
    }

    /// Sends one message as the server does: unmasked, in one frame.
    package func send(_ message: WebSocketMessage) async throws {
        try await self.connection.write(Self.frame(message))
    }

    /// Sends a close frame.
    package func close(_ code: WebSocketCloseCode, reason: String = "") async throws {
        var machine = WebSocketMachine(role: .server, limits: WebSocketLimits(), maskingKey: { 0 })
        var outbound = ByteBuffer()
        try machine.sendClose(code, reason: reason, outbound: &outbound)
        try await self.connection.write(outbound)
    }

    /// One message as a server's frame.
    package static func frame(_ message: WebSocketMessage) throws -> ByteBuffer {
        var machine = WebSocketMachine(role: .server, limits: WebSocketLimits(), maskingKey: { 0 })
        var outbound = ByteBuffer()
        try machine.send(message, outbound: &outbound)
        return outbound
    }
}

/// A test's peer met something it has no words for.
package struct Unexpected: Error {
    package let what: String

    package init(what: String) {
        self.what = what
    }
}
