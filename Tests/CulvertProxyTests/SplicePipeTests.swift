#if os(Linux)
    import Foundation
    import Logging
    import NIOCore
    import TestSupport
    import Testing

    @testable import CulvertProxy

    @Suite("The pipes of the splice engine", .timeLimit(.minutes(5)))
    struct SplicePipeTests {
        @Test("a pool lends no more than its limit, and takes back what it lent")
        func limit() {
            var pool = SplicePipePool(limit: 2, maxSpare: 1)
            let pipes = [pool.take(), pool.take(), pool.take()]
            #expect(pipes.map { $0 != nil } == [true, true, false])
            for case let pipe? in pipes { pool.give(pipe) }
            #expect(pool.spare.map(\.output) == pipes.prefix(1).map { $0?.output })
            let again = pool.take()
            #expect(again?.output == pipes[0]?.output)
            if let again { pool.give(again) }
            pool.spare.first?.close()
        }

        @Test("the first are large, and of those that come back only they are kept")
        func sizes() {
            var pool = SplicePipePool(limit: 3, maxLarge: 1)
            let pipes = (0..<3).compactMap { _ in pool.take() }
            #expect(pipes.map(\.size) == [.large, .small, .small])
            for pipe in pipes.reversed() { pool.give(pipe) }
            #expect(pool.spare.map(\.size) == [.large])
            pool.spare.first?.close()
        }

        @Test("a pipe that comes back with bytes in it is not lent again")
        func leftover() throws {
            var pool = SplicePipePool()
            let taken = pool.take()
            var pipe = try #require(taken)
            pipe.count = 1
            pool.give(pipe)
            #expect(pool.spare.isEmpty)
        }

        @Test("bulk without a pipe to be had is copied", arguments: [0, 1])
        func exhausted(limit: Int) async throws {
            let loops = try #require(SpliceLoops(count: 1, pipes: SplicePipePool(limit: limit)))
            let registry = ConnectionRegistry()
            let count = 8_000_000
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in 1...4 {
                    let relay = try Self.relay(loops.next(), registry)
                    let pattern = BytePattern(seed: UInt64(seed))
                    group.addTask {
                        try await onThread {
                            try pattern.send(count, to: relay.origin)
                            relay.origin.close()
                        }
                    }
                    group.addTask {
                        try await onThread {
                            let received = try pattern.receive(from: relay.client)
                            #expect(received == count)
                            relay.client.close()
                        }
                    }
                }
                try await group.waitForAll()
            }
            await registry.waitUntilEmpty()
        }

        /// A started relay's far ends.
        private static func relay(
            _ loop: SpliceLoop, _ registry: ConnectionRegistry
        ) throws -> (client: BlockingSocket, origin: BlockingSocket) {
            let listener = try BlockingSocket.listening()
            defer { listener.close() }
            let far = [try BlockingSocket.connected(toPort: listener.port), try listener.accepted()]
            let near = [try BlockingSocket.connected(toPort: listener.port), try listener.accepted()]
            for socket in [far[1], near[1]] { _ = fcntl(socket.descriptor, F_SETFL, O_NONBLOCK) }
            let core = ProxyCore(ProxyConfiguration(), logger: Logger(label: "test"))
            let relay = SpliceRelay(
                client: SpliceSocket(descriptor: far[1].descriptor),
                origin: SpliceSocket(descriptor: near[1].descriptor), idleTimeout: .seconds(60), limit: nil,
                loop: loop, registry: registry,
                record: TunnelRecord(core, entry: AccessLogEntry(), since: .now(), engine: core.glue))
            relay.begin(response: ByteBuffer(), early: ByteBuffer(), banner: ByteBuffer())
            relay.start()
            return (far[0], near[0])
        }
    }
#endif
