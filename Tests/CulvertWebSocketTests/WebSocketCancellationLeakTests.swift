import CulvertTunnel
import CulvertWebSocket
import HTTPTypes
import HTTPWire
import NIOCore
import Synchronization
import TestSupport
import Testing

/// Where the task that uses an open WebSocket waits when it is cancelled.
private enum Wait: CaseIterable, Sendable {
    case message, fragment, room, roomOfPrepared, roomOfPiece, turn, pong, closeOfPeer

    /// Comes to the wait, tells of it, and stays in it until it is cancelled: the peer says nothing and reads nothing.
    func enter(_ socket: WebSocket, entered: @escaping @Sendable () -> Void) async throws {
        let bytes = ByteBuffer(repeating: 1, count: 1 << 20)
        switch self {
        case .message:
            entered()
            _ = try await socket.receive()
        case .fragment:
            entered()
            for try await _ in socket.fragments {}
        case .room:
            try await Self.fill(entered) { try await socket.send(bytes) }
        case .roomOfPrepared:
            let prepared = WebSocketPreparedMessage(.binary(bytes))
            try await Self.fill(entered) { try await socket.send(prepared) }
        case .roomOfPiece:
            try await socket.send(.binary) { writer in
                try await Self.fill(entered) { try await writer.write(bytes) }
            }
        case .turn:
            try await socket.send(.binary) { _ in
                entered()
                try await socket.send("never")
            }
        case .pong:
            entered()
            try await socket.ping()
        case .closeOfPeer:
            try await socket.close(.normalClosure)
            entered()
            while try await socket.receive() != nil {}
        }
    }

    /// Sends until there is no room, for longer than any test lasts.
    private static func fill(
        _ entered: @escaping @Sendable () -> Void, _ send: () async throws -> Void
    ) async throws {
        // By then the kernel has taken what it takes of a connection whose peer does not read.
        async let _: Void = {
            try await Task.sleep(for: .milliseconds(500))
            entered()
        }()
        while true { try await send() }
    }
}

/// Which executor runs the closure.
private enum Place: CaseIterable, Sendable {
    case pool, eventLoop
}

/// Whether a socket that was handed out is still held by anybody.
private final class Witness: Sendable {
    private struct Weak: @unchecked Sendable {
        // Read and set under the lock.
        weak var socket: WebSocket?
    }

    private let state = Mutex(Weak())

    func saw(_ socket: WebSocket) { self.state.withLock { $0.socket = socket } }

    var isReleased: Bool { self.state.withLock { $0.socket == nil } }
}

@Suite("A cancelled wait leaves nothing behind", .timeLimit(.minutes(3)))
struct WebSocketCancellationLeakTests {
    @Test(
        "client: at every wait the call ends with CancellationError, the connection too, and nothing holds it",
        arguments: Wait.allCases, Place.allCases)
    fileprivate func client(wait: Wait, place: Place) async throws {
        let (entries, entered) = AsyncStream.makeStream(of: Void.self)
        let (cancels, cancelled) = AsyncStream.makeStream(of: Void.self)
        let (ends, ended) = AsyncStream.makeStream(of: Void.self)
        let witness = Witness()
        try await withTCPServer { connection in
            _ = try await WebSocketTestPeer.accept(connection)
            for await _ in cancels { break }
            // To the end of the connection, in good order or not.
            _ = try? await connection.readToEnd()
            ended.yield()
        } _: { server in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    $0.closeTimeout = .milliseconds(200)
                    $0.runsOnEventLoop = place == .eventLoop
                })
            let use = Task {
                try await client.withConnection(to: "ws://\(server)/") { socket in
                    witness.saw(socket)
                    try await wait.enter(socket) { entered.yield() }
                }
            }
            for await _ in entries { break }
            use.cancel()
            await #expect(throws: CancellationError.self) { try await use.value }
            cancelled.yield()
            for await _ in ends { break }
        }
        try await until { witness.isReleased }
    }

    @Test(
        "server: cancelling it ends a closure at every wait, and its connection, and nothing holds it",
        arguments: Wait.allCases, Place.allCases)
    fileprivate func server(wait: Wait, place: Place) async throws {
        let (entries, entered) = AsyncStream.makeStream(of: Void.self)
        let (errors, failed) = AsyncStream.makeStream(of: (any Error)?.self)
        let witness = Witness()
        let reading = try await withServer {
            $0.upgrade.closeTimeout = .milliseconds(200)
            $0.runsOnEventLoop = place == .eventLoop
        } serve: { socket in
            witness.saw(socket)
            do {
                try await wait.enter(socket) { entered.yield() }
                failed.yield(nil)
            } catch {
                failed.yield(error)
            }
        } _: { server in
            let (opens, opened) = AsyncStream.makeStream(of: Void.self)
            let (cancels, cancelled) = AsyncStream.makeStream(of: Void.self)
            let reading = Task {
                try await Dialer(.init { $0.proxy = .none }).withStream(to: server) { stream in
                    try await stream.write(upgradeRequest)
                    opened.yield()
                    for await _ in cancels { break }
                    do { for try await _ in stream {} } catch is TunnelError {}
                }
            }
            for await _ in opens { break }
            for await _ in entries { break }
            return (reading, cancelled)
        }
        // The server has stopped.
        var iterator = errors.makeAsyncIterator()
        let error = await iterator.next() ?? nil
        #expect(error is CancellationError, "\(String(describing: error))")
        reading.1.yield()
        try await reading.0.value
        try await until { witness.isReleased }
    }

    @Test("server: cancelling it ends a decision on a request, and the request's connection")
    func decision() async throws {
        let (entries, entered) = AsyncStream.makeStream(of: Void.self)
        let reading = try await withServer {
            $0.onUpgrade = { _ in
                entered.yield()
                try await Task.sleep(for: .seconds(3600))
                return .accept()
            }
        } _: { server in
            let reading = Task {
                try await Dialer(.init { $0.proxy = .none }).withStream(to: server) { stream in
                    try await stream.write(upgradeRequest)
                    do { for try await _ in stream {} } catch is TunnelError {}
                }
            }
            for await _ in entries { break }
            return reading
        }
        try await reading.value
    }

    @Test("server: cancelling it ends the answer to a request for no WebSocket, and the request's connection")
    func otherRequest() async throws {
        let (entries, entered) = AsyncStream.makeStream(of: Void.self)
        let (ends, ended) = AsyncStream.makeStream(of: Bool.self)
        let reading = try await withServer {
            $0.onOtherRequest = { _ in
                entered.yield()
                try? await Task.sleep(for: .seconds(3600))
                ended.yield(Task.isCancelled)
            }
        } _: { server in
            let reading = Task {
                try await Dialer(.init { $0.proxy = .none }).withStream(to: server) { stream in
                    try await stream.write("GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
                    do { for try await _ in stream {} } catch is TunnelError {}
                }
            }
            for await _ in entries { break }
            return reading
        }
        var iterator = ends.makeAsyncIterator()
        #expect(await iterator.next() == true)
        try await reading.value
    }

    @Test(
        "client: cancelled in a hook for cookies, the call ends as soon as the hook does, without a connection",
        arguments: [true, false])
    func cookies(isBefore: Bool) async throws {
        let (entries, entered) = AsyncStream.makeStream(of: Void.self)
        let ends = Tally()
        @Sendable func wait() async {
            entered.yield()
            try? await Task.sleep(for: .seconds(3600))
        }
        try await withTCPServer { connection in
            _ = try? await WebSocketTestPeer.accept(connection, fields: [.setCookie: "a=1"])
            _ = try? await connection.readToEnd()
            ends.add()
        } _: { server in
            let client = WebSocketClient(
                configuration: .init {
                    $0.proxy = .none
                    $0.closeTimeout = .milliseconds(200)
                    $0.cookies = WebSocketCookies { _ in
                        if isBefore { await wait() }
                        return nil
                    } received: { _, _ in
                        if !isBefore { await wait() }
                    }
                })
            let use = Task {
                try await client.withConnection(to: "ws://\(server)/") { _ in Issue.record("it opened") }
            }
            for await _ in entries { break }
            use.cancel()
            await #expect(throws: CancellationError.self) { try await use.value }
            // Asked before there is a connection, told behind the answer.
            try await self.until { ends.value == (isBefore ? 0 : 1) }
        }
    }

    @Test("run(to:retry:): the wait between two attempts ends at once")
    func pause() async throws {
        let (entries, entered) = AsyncStream.makeStream(of: Void.self)
        try await withTCPServer { connection in
            // Nobody upgrades it.
            try await connection.finish()
        } _: { server in
            let client = WebSocketClient(configuration: .init { $0.proxy = .none })
            let retry = WebSocketRetry {
                $0.initialDelay = .seconds(3600)
                $0.maxDelay = .seconds(3600)
                $0.onFailure = { _ in entered.yield() }
            }
            let running = Task {
                try await client.run(to: "ws://\(server)/", retry: retry, random: { 1 }) { _ in }
            }
            for await _ in entries { break }
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
        }
    }

    /// What is let go of on another thread is let go of soon.
    private func until(_ condition: () -> Bool) async throws {
        for _ in 0..<2000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(condition())
    }
}
