import CulvertWebSocket
import HTTPTypes
import NIOCore
import Synchronization
import TestSupport
import Testing

/// A clock on which every sleep is over at once, and is written down.
private final class SleepRecorder: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration

        func advanced(by duration: Duration) -> Self { Self(offset: self.offset + duration) }
        func duration(to other: Self) -> Duration { other.offset - self.offset }
        static func < (left: Self, right: Self) -> Bool { left.offset < right.offset }
    }

    private let state = Mutex((offset: Duration.zero, sleeps: [Duration]()))

    var now: Instant { Instant(offset: self.state.withLock { $0.offset }) }
    var minimumResolution: Duration { .nanoseconds(1) }
    var sleeps: [Duration] { self.state.withLock { $0.sleeps } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        self.state.withLock { state in
            state.sleeps.append(deadline.offset - state.offset)
            state.offset = deadline.offset
        }
    }
}

@Suite("Connecting again", .timeLimit(.minutes(2)))
struct WebSocketRunTests {
    private struct Stop: Error {}

    /// Serves the connections that come with the closures, one after the other; the last one serves all others too.
    private func run(
        _ servers: [@Sendable (TCPConnection) async throws -> Void],
        retry: WebSocketRetry = WebSocketRetry(),
        _ body: @escaping @Sendable (WebSocket) async throws -> Void
    ) async throws -> [Duration] {
        let clock = SleepRecorder()
        let served = Mutex(0)
        try await withTCPServer { connection in
            let index = served.withLock { count in
                defer { count += 1 }
                return min(count, servers.count - 1)
            }
            try await servers[index](connection)
        } _: { server in
            let client = WebSocketClient(configuration: .init { $0.proxy = .none })
            try await client.run(
                to: "ws://\(server)/", retry: retry, clock: clock, random: { 0 }, { try await body($0) })
        }
        return clock.sleeps
    }

    private static func refuse(_ head: String) -> @Sendable (TCPConnection) async throws -> Void {
        { connection in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 \(head)\r\nContent-Length: 0\r\n\r\n")
            try await connection.finish()
        }
    }

    private static let cut: @Sendable (TCPConnection) async throws -> Void = { connection in
        let peer = try await WebSocketTestPeer.accept(connection)
        try await peer.send(.text("half"))
    }

    private static let echo: @Sendable (TCPConnection) async throws -> Void = { connection in
        try await WebSocketTestPeer.accept(connection).echo()
    }

    @Test(
        "an overloaded server and a lost connection are tried again, with growing delays, until the closure returns"
    )
    func retries() async throws {
        let failures = Mutex<[Int]>([])
        let bodies = Mutex(0)
        let retry = WebSocketRetry {
            $0.onFailure = { failure in failures.withLock { $0.append(failure.count) } }
        }
        let sleeps = try await self.run(
            [Self.refuse("503 Busy\r\nRetry-After: 3"), Self.refuse("502 Bad Gateway"), Self.cut, Self.echo],
            retry: retry
        ) { socket in
            bodies.withLock { $0 += 1 }
            try await socket.send("x")
            while let message = try await socket.receive() { if message == .text("x") { return } }
        }
        #expect(sleeps == [.seconds(3), .seconds(1), .seconds(2)])
        #expect(failures.withLock { $0 } == [1, 2, 3])
        #expect(bodies.withLock { $0 } == 2)
    }

    @Test("a server that goes away in good order is connected to again; one that is done is not")
    func goingAway() async throws {
        let leave: @Sendable (TCPConnection) async throws -> Void = { connection in
            let peer = try await WebSocketTestPeer.accept(connection)
            try await peer.close(.goingAway)
            _ = try await connection.readToEnd()
        }
        let done: @Sendable (TCPConnection) async throws -> Void = { connection in
            let peer = try await WebSocketTestPeer.accept(connection)
            try await peer.close(.normalClosure)
            _ = try await connection.readToEnd()
        }
        let sleeps = try await self.run([leave, leave, done]) { socket in for try await _ in socket {} }
        #expect(sleeps == [.milliseconds(500), .seconds(1)])
    }

    @Test(
        "what a new connection cannot help is thrown at once",
        arguments: ["403 Forbidden", "404 Not Found", "200 OK"])
    func permanent(head: String) async throws {
        let error = await #expect(throws: WebSocketError.self) {
            _ = try await self.run([Self.refuse(head)]) { _ in }
        }
        guard case .upgradeRefused = error else { throw Unexpected(what: "\(String(describing: error))") }
    }

    @Test("the closure's own error is thrown, or retried where the caller says so", arguments: [false, true])
    func ownError(isWorthRetry: Bool) async throws {
        let bodies = Mutex(0)
        let retry = WebSocketRetry {
            $0.maxFailures = 2
            if isWorthRetry { $0.isWorthRetry = { $0 is Stop } }
        }
        await #expect(throws: Stop.self) {
            _ = try await self.run([Self.echo], retry: retry) { _ in
                bodies.withLock { $0 += 1 }
                throw Stop()
            }
        }
        #expect(bodies.withLock { $0 } == (isWorthRetry ? 3 : 1))
    }

    @Test("cancelling ends it, also between two connections")
    func cancelled() async throws {
        let (failures, failure) = AsyncStream.makeStream(of: Void.self)
        let running = Task {
            let client = WebSocketClient(configuration: .init { $0.proxy = .none })
            let retry = WebSocketRetry {
                $0.initialDelay = .seconds(3600)
                $0.maxDelay = .seconds(3600)
                $0.onFailure = { _ in failure.yield() }
            }
            // Port 1: nobody listens.
            try await client.run(to: "ws://127.0.0.1:1/", retry: retry) { _ in }
        }
        var iterator = failures.makeAsyncIterator()
        await iterator.next()
        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
    }
}
