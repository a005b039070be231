public import CulvertWebSocket
import NIOCore
import NIOEmbedded

/// Opens a WebSocket in memory, hands both of its sides to the closure, and closes it when the closure ends.
///
/// ```swift
/// try await withWebSocketPair(faults: .init { $0.maxPieceBytes = 1 }) { pair in
///     async let answer = pair.client.receive()
///     try await myHandler(pair.server)
///     #expect(try await answer == .text("hello"))
/// }
/// ```
///
/// The opening handshake, the frames and their compression are the real ones; there is no socket, no name lookup, no
/// TLS. Deadlines, keepalive and close timeouts follow the pair's own clock, which stands still while the closure runs
/// unless it is advanced.
///
/// - Parameters:
///   - configuration: the client's; its proxy and TLS settings are not used.
///   - options: the server's.
///   - faults: what goes wrong on the way.
///   - body: the use of the pair.
/// - Throws: what the closure throws; ``WebSocketError`` when the two do not agree to a WebSocket.
public func withWebSocketPair<Result>(
    client configuration: WebSocketClient.Configuration = .init(),
    server options: WebSocketUpgradeOptions = .init(),
    faults: WebSocketFaults = WebSocketFaults(),
    _ body: (WebSocketPair) async throws -> Result
) async throws -> Result {
    let eventLoop = NIOAsyncTestingEventLoop()
    let wire = try await MemoryWire(on: eventLoop, server: options, faults: faults)
    let client = WebSocketClient(configuration: configuration, eventLoopGroup: eventLoop)
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await wire.accept() }
        // Nobody advances the clock any more: the timeouts of the close pass quickly.
        group.addTask {
            for await _ in ends {}
            while !Task.isCancelled {
                await eventLoop.advanceTime(by: .seconds(1))
                try? await Task.sleep(for: .milliseconds(1))
            }
        }
        defer { group.cancelAll() }
        return try await client.withConnection(to: "ws://memory.invalid/", over: .channel(wire.client)) {
            socket in
            defer { end.finish() }
            let server = try await wire.opened()
            return try await body(
                WebSocketPair(client: socket, server: server, eventLoop: eventLoop, wire: wire.clientEnd))
        }
    }
}
