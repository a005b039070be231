import CulvertWebSocket
import HTTPWire
import NIOCore
import Testing

@Sendable
func echoMessages(_ socket: WebSocket) async throws {
    for try await message in socket { try await socket.send(message) }
}

/// Runs a server on a free port while the closure runs.
func withServer<Result: Sendable>(
    _ configure: @escaping @Sendable (inout WebSocketServer.Configuration) -> Void = { _ in },
    serve: @escaping @Sendable (WebSocket) async throws -> Void = echoMessages,
    _ body: @escaping @Sendable (Authority) async throws -> Result
) async throws -> Result {
    let (addresses, listening) = AsyncStream.makeStream(of: SocketAddress.self)
    let server = WebSocketServer(
        try .init {
            $0.addresses = [try SocketAddress(ipAddress: "127.0.0.1", port: 0)]
            $0.onListening = { for address in $0 { listening.yield(address) } }
            configure(&$0)
        }, serve: serve)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        var iterator = addresses.makeAsyncIterator()
        let port = try #require(await iterator.next()?.port)
        let result = try await body(Authority(host: "127.0.0.1", port: port))
        group.cancelAll()
        try await group.waitForAll()
        return result
    }
}

/// The request of RFC 6455 §1.2.
let upgradeRequest = """
    GET /chat HTTP/1.1\r
    Host: server.example.com\r
    Upgrade: websocket\r
    Connection: Upgrade\r
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
    Sec-WebSocket-Version: 13\r
    \r

    """
