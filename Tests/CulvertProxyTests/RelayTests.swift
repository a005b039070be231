import CulvertProxy
import Foundation
import HTTPWire
import Synchronization
import TestSupport
import Testing

/// The engines that this system has: one suite over all of them.
let relayModes: [RelayMode] = {
    #if os(Linux)
        [.auto, .splice, .copy]
    #else
        [.copy]
    #endif
}()

/// Opens a tunnel, has `body` play both of its ends, and returns what the proxy logged of it.
@discardableResult
func withTunnel(
    _ mode: RelayMode,
    early: String = "",
    _ configure: @escaping @Sendable (inout ProxyConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (_ client: BlockingSocket, _ origin: BlockingSocket) throws -> Void
) async throws -> AccessLogEntry {
    try await withProxy {
        $0.relay = mode
        configure(&$0)
    } _: { proxy, log in
        try await onThread {
            let listener = try BlockingSocket.listening()
            defer { listener.close() }
            let (client, origin) = try listener.tunnel(through: Int(proxy.port), early: early)
            try body(client, origin)
        }
        return try #require(try await log.first(1).first)
    }
}

/// Plays one side of a tunnel meanwhile.
private func meanwhile(_ body: @escaping @Sendable () throws -> Void) -> Thread {
    let thread = Thread { try? body() }
    thread.start()
    return thread
}

extension Thread {
    fileprivate func join() { while !self.isFinished { usleep(10_000) } }
}

extension BlockingSocket {
    /// Sends until that fails: a reset is seen by whoever sends.
    fileprivate func sendToFailure() throws -> Failure? {
        for _ in 0..<3000 {
            do { try self.send("x") } catch let error as Failure { return error }
            usleep(10_000)
        }
        return nil
    }
}

@Suite("How a tunnel ends, by either engine", .timeLimit(.minutes(5)))
struct RelayEndTests {
    @Test("the client's FIN passes, and the origin goes on until its own", arguments: relayModes)
    func clientFirst(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) { client, origin in
            try client.send("up")
            client.finish()
            #expect(try origin.receive() == "up")
            try origin.send("and ")
            try origin.send("down")
            origin.close()
            #expect(try client.receive() == "and down")
            client.close()
        }
        #expect(entry.closedBy == .client)
        #expect(entry.reason == "closed")
        #expect(entry.bytesUp == 2)
        #expect(entry.bytesDown == 8)
    }

    @Test("the origin's FIN passes, and the client goes on until its own", arguments: relayModes)
    func originFirst(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) { client, origin in
            try origin.send("down")
            origin.finish()
            #expect(try client.receive() == "down")
            try client.send("still ")
            try client.send("up")
            client.close()
            #expect(try origin.receive() == "still up")
            origin.close()
        }
        #expect(entry.closedBy == .origin)
        #expect(entry.reason == "closed")
        #expect(entry.bytesUp == 8)
        #expect(entry.bytesDown == 4)
    }

    @Test("both FINs cross", arguments: relayModes)
    func bothAtOnce(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) { client, origin in
            try client.send("up")
            try origin.send("down")
            client.finish()
            origin.finish()
            #expect(try origin.receive() == "up")
            #expect(try client.receive() == "down")
            client.close()
            origin.close()
        }
        #expect(entry.reason == "closed")
        #expect(entry.bytesUp == 2)
        #expect(entry.bytesDown == 4)
    }

    @Test("the client's reset is a reset for the origin", arguments: relayModes)
    func clientReset(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) { client, origin in
            try client.send("up")
            #expect(try origin.receive(2) == "up")
            client.reset()
            #expect(throws: BlockingSocket.Failure.reset) { try origin.receive() }
            origin.close()
        }
        #expect(entry.closedBy == .client)
        #expect(entry.reason == "reset")
    }

    @Test("the origin's reset is a reset for the client", arguments: relayModes)
    func originReset(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) { client, origin in
            origin.reset()
            #expect(throws: BlockingSocket.Failure.reset) { try client.receive() }
            client.close()
        }
        #expect(entry.closedBy == .origin)
        #expect(entry.reason == "reset")
    }

    @Test("a reset after a FIN is a reset too", arguments: relayModes)
    func resetAfterFIN(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) { client, origin in
            client.finish()
            #expect(try origin.receive() == "")
            client.reset()
            let failure = try origin.sendToFailure()
            #expect(failure == .reset)
            origin.close()
        }
        #expect(entry.closedBy == .client)
        #expect(entry.reason == "closed")
    }

    @Test("who writes to an origin that has gone is reset, and the origin was first", arguments: relayModes)
    func writeToGone(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) { client, origin in
            origin.close()
            #expect(try client.receive() == "")
            let failure = try client.sendToFailure()
            #expect(failure == .reset)
            client.close()
        }
        #expect(entry.closedBy == .origin)
        #expect(entry.reason == "closed")
    }

    @Test("a reset reaches a side that takes nothing", arguments: relayModes)
    func resetWhileBlocked(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) { client, origin in
            let pattern = BytePattern(seed: 3)
            // More than both sockets hold: the relay waits for a client that reads nothing.
            let sender = meanwhile { try pattern.send(64 << 20, to: origin) }
            usleep(300_000)
            client.reset()
            sender.join()
            origin.close()
        }
        #expect(entry.closedBy == .client)
        #expect(entry.reason == "reset")
    }

    @Test("the rest of a half-closed tunnel ends at the idle timeout", arguments: relayModes)
    func idleHalfOpen(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) {
            $0.idleTimeout = .milliseconds(300)
        } _: { client, origin in
            client.finish()
            let ends = [try origin.receive(), try client.receive()]
            #expect(ends == ["", ""])
            client.close()
            origin.close()
        }
        #expect(entry.closedBy == .client)
        #expect(entry.reason == "closed")
    }

    @Test("nothing moves: idle; something moves one way: not idle", arguments: relayModes)
    func idle(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) {
            $0.idleTimeout = .seconds(1)
        } _: { client, origin in
            for _ in 0..<12 {
                try origin.send("x")
                #expect(try client.receive(1) == "x")
                usleep(150_000)
            }
            #expect(try client.receive() == "")
            #expect(try origin.receive() == "")
            client.close()
            origin.close()
        }
        #expect(entry.closedBy == .proxy)
        #expect(entry.reason == "idle")
        #expect(entry.milliseconds > 1800)
    }
}

@Suite("What a tunnel carries, by either engine", .timeLimit(.minutes(10)))
struct RelayByteTests {
    /// 24 MB, or as many as the environment says, for a run by hand.
    private static let bulk =
        ProcessInfo.processInfo.environment["CULVERT_RELAY_BULK_BYTES"].flatMap(Int.init) ?? 24_000_000

    @Test("bytes behind the CONNECT come first, and are counted", arguments: relayModes)
    func early(mode: RelayMode) async throws {
        let early = String(repeating: "early ", count: 5000)
        let entry = try await withTunnel(mode, early: early) { client, origin in
            #expect(try origin.receive(early.utf8.count) == early)
            try client.send("late")
            client.close()
            #expect(try origin.receive() == "late")
            origin.close()
        }
        #expect(entry.bytesUp == 30_004)
    }

    @Test("what the origin says first comes behind the answer", arguments: relayModes)
    func banner(mode: RelayMode) async throws {
        try await withTunnel(mode) { client, origin in
            try origin.send("220 ready")
            origin.finish()
            #expect(try client.receive() == "220 ready")
            client.close()
            origin.close()
        }
    }

    @Test("bulk both ways at once, every byte in its place", arguments: relayModes)
    func bulk(mode: RelayMode) async throws {
        let count = Self.bulk
        let entry = try await withTunnel(mode) { client, origin in
            let (up, down) = (BytePattern(seed: 1), BytePattern(seed: 2))
            for (pattern, sender) in [(up, client), (down, origin)] {
                _ = meanwhile {
                    try pattern.send(count, to: sender)
                    sender.finish()
                }
            }
            let received = Mutex(0)
            let reader = meanwhile {
                let count = try down.receive(from: client)
                received.withLock { $0 = count }
            }
            let arrived = try up.receive(from: origin)
            #expect(arrived == count)
            reader.join()
            #expect(received.withLock { $0 } == count)
            client.close()
            origin.close()
        }
        #expect(entry.bytesUp == UInt64(count))
        #expect(entry.bytesDown == UInt64(count))
    }

    @Test("bulk, then small talk, then bulk again", arguments: relayModes)
    func changes(mode: RelayMode) async throws {
        try await withTunnel(mode) { client, origin in
            let pattern = BytePattern(seed: 9)
            for _ in 0..<4 {
                _ = meanwhile { try pattern.send(3_000_000, to: origin) }
                #expect(try pattern.receive(3_000_000, from: client) == 3_000_000)
                for _ in 0..<50 {
                    try client.send("?")
                    #expect(try origin.receive(1) == "?")
                    try origin.send("!")
                    #expect(try client.receive(1) == "!")
                }
            }
            client.close()
            #expect(try origin.receive() == "")
            origin.close()
        }
    }

    @Test("a reader that pauses gets everything", arguments: relayModes)
    func slowReader(mode: RelayMode) async throws {
        let entry = try await withTunnel(mode) { client, origin in
            let pattern = BytePattern(seed: 5)
            let sender = meanwhile {
                try pattern.send(32_000_000, to: origin)
                origin.finish()
            }
            usleep(400_000)
            #expect(!sender.isFinished)
            let arrived = try pattern.receive(from: client)
            #expect(arrived == 32_000_000)
            client.close()
            _ = try origin.receive()
            origin.close()
        }
        #expect(entry.bytesDown == 32_000_000)
    }
}

@Suite("Many tunnels at once, by either engine", .timeLimit(.minutes(5)))
struct RelayCrowdTests {
    @Test("three hundred tunnels torn down together, in every way, are all told of", arguments: relayModes)
    func tornDown(mode: RelayMode) async throws {
        try await withProxy {
            $0.relay = mode
        } _: { proxy, log in
            try await onThread {
                let listener = try BlockingSocket.listening()
                let tunnels = try (0..<300).map { _ in try listener.tunnel(through: Int(proxy.port)) }
                for (index, (client, origin)) in tunnels.enumerated() {
                    switch index % 4 {
                    case 0: client.close()
                    case 1: origin.close()
                    case 2: client.reset()
                    default: origin.reset()
                    }
                }
                for (index, (client, origin)) in tunnels.enumerated() {
                    let other = index % 2 == 0 ? origin : client
                    // Its end, or its reset.
                    _ = try? other.receive()
                    other.close()
                }
                listener.close()
            }
            let entries = try await log.first(300)
            #expect(entries.count == 300)
            #expect(entries.filter { $0.reason == "reset" }.count == 150)
            #expect(entries.filter { $0.closedBy == .origin }.count == 150)
        }
    }
}
