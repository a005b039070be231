import CulvertWebSocket
import NIOCore
import NIOEmbedded

/// Two connected channels in memory, with a server's upgrade on one of them.
struct MemoryWire: Sendable {
    let client: NIOAsyncTestingChannel
    let clientEnd: NIOLoopBound<WireEnd>
    private let serverEnd: NIOLoopBound<WireEnd>
    private let upgrades: AsyncStream<WebSocketUpgrade>
    private let sockets: AsyncStream<WebSocket>
    private let socket: AsyncStream<WebSocket>.Continuation

    init(
        on eventLoop: NIOAsyncTestingEventLoop, server options: WebSocketUpgradeOptions,
        faults: WebSocketFaults
    ) async throws {
        let client = NIOAsyncTestingChannel(loop: eventLoop)
        let server = NIOAsyncTestingChannel(loop: eventLoop)
        let (upgrades, upgrade) = AsyncStream.makeStream(of: WebSocketUpgrade.self)
        let ends = try await eventLoop.submit {
            let ends = (client: WireEnd(.client, faults: faults), server: WireEnd(.server, faults: faults))
            ends.client.connect(to: ends.server)
            try client.pipeline.syncOperations.addHandler(ends.client)
            try server.pipeline.syncOperations.addHandlers([
                ends.server, WebSocketUpgradeHandler(options) { upgrade.yield($0) },
            ])
            return (
                client: NIOLoopBound(ends.client, eventLoop: eventLoop),
                server: NIOLoopBound(ends.server, eventLoop: eventLoop)
            )
        }.get()
        self.client = client
        self.clientEnd = ends.client
        self.serverEnd = ends.server
        self.upgrades = upgrades
        (self.sockets, self.socket) = AsyncStream.makeStream(of: WebSocket.self)
        let address = try SocketAddress(unixDomainSocketPath: "/memory")
        for channel in [server, client] {
            try await channel.connect(to: address).get()
            channel.read()
        }
    }

    /// Accepts the client's upgrade.
    func accept() async {
        for await upgrade in self.upgrades {
            if let socket = try? await upgrade.accept() { self.socket.yield(socket) }
        }
    }

    /// The server's side, once both are open.
    func opened() async throws -> WebSocket {
        var iterator = self.sockets.makeAsyncIterator()
        guard let socket = await iterator.next() else { throw CancellationError() }
        let (clientEnd, serverEnd) = (self.clientEnd, self.serverEnd)
        try await self.client.eventLoop.submit {
            clientEnd.value.isOpen = true
            serverEnd.value.isOpen = true
        }.get()
        return socket
    }
}

extension NIOAsyncTestingChannel: WritableChannel {
    func setWritable(_ isWritable: Bool) {
        self.isWritable = isWritable
    }
}
