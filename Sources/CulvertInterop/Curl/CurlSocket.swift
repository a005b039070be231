import WebSocketWire

/// A WebSocket over a connection that libcurl opened. The calls block: the actor has a ``CurlThread``.
protocol CurlConnection: Actor {
    nonisolated var bell: CurlBell { get }

    func open(_ deadline: CurlDeadline) throws -> CurlAgreement
    func send(_ message: WebSocketMessage, _ deadline: CurlDeadline) throws
    func send(fragments: [String], _ deadline: CurlDeadline) throws
    func receive(_ deadline: CurlDeadline) throws -> WebSocketMessage?
    func ping(_ deadline: CurlDeadline) throws
    func close(
        _ code: WebSocketCloseCode, reason: String, _ deadline: CurlDeadline
    ) throws -> WebSocketClose
}

/// What the opening handshake settled.
struct CurlAgreement: Sendable, Hashable {
    var subprotocol: String?
    var isCompressed = false
}

/// A ``CurlConnection`` as the harness uses it: every call has a time limit and ends when its task is cancelled.
struct CurlSocket<Connection: CurlConnection>: InteropSocket {
    /// A minute: 16 MiB both ways through two slow proxies takes seconds.
    private static var callTimeout: Duration { .seconds(60) }
    /// For the farewell of a socket nobody looks at any more.
    private static var farewellTimeout: Duration { .seconds(2) }

    private let connection: Connection
    private let agreement: CurlAgreement

    var subprotocol: String? { self.agreement.subprotocol }
    var isCompressed: Bool { self.agreement.isCompressed }

    /// Opens the connection, lends it to the closure and says goodbye on it.
    static func with(
        _ connection: Connection, openTimeout: Duration,
        _ body: @Sendable (any InteropSocket) async throws -> Void
    ) async throws {
        let agreement = try await Self.within(openTimeout, connection.bell) { deadline in
            try await connection.open(deadline)
        }
        let socket = Self(connection: connection, agreement: agreement)
        try await body(socket)
        // Where the body closed it this only repeats the answer; how it fails is nobody's concern.
        _ = try? await Self.within(Self.farewellTimeout, connection.bell) { deadline in
            try await connection.close(.normalClosure, reason: "", deadline)
        }
    }

    func send(_ message: WebSocketMessage) async throws {
        try await self.call { try await self.connection.send(message, $0) }
    }

    func send(fragments: [String]) async throws {
        try await self.call { try await self.connection.send(fragments: fragments, $0) }
    }

    func receive() async throws -> WebSocketMessage? {
        try await self.call { try await self.connection.receive($0) }
    }

    func ping() async throws {
        try await self.call { try await self.connection.ping($0) }
    }

    func close(_ code: WebSocketCloseCode, reason: String) async throws -> WebSocketClose {
        try await self.call { try await self.connection.close(code, reason: reason, $0) }
    }

    private func call<Result: Sendable>(
        _ body: @Sendable (CurlDeadline) async throws -> Result
    ) async throws -> Result {
        try await Self.within(Self.callTimeout, self.connection.bell, body)
    }

    private static func within<Result: Sendable>(
        _ time: Duration, _ bell: CurlBell, _ body: @Sendable (CurlDeadline) async throws -> Result
    ) async throws -> Result {
        let deadline = CurlDeadline(after: time, bell)
        return try await withTaskCancellationHandler {
            try await body(deadline)
        } onCancel: {
            deadline.cancel()
        }
    }
}
