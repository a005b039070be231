import Foundation
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import CulvertProxy

/// Lets so many bytes a second through, and remembers how many it was told of.
private final class SteadyLimit: TrafficLimit {
    private let bytesPerSecond: Int
    let spent = Mutex<[RelaySide: Int]>([:])

    init(bytesPerSecond: Int) { self.bytesPerSecond = bytesPerSecond }

    func spend(_ bytes: Int, from side: RelaySide) -> TimeAmount {
        self.spent.withLock { $0[side, default: 0] += bytes }
        return .nanoseconds(Int64(bytes) * 1_000_000_000 / Int64(self.bytesPerSecond))
    }
}

@Suite("A limit on a tunnel's bytes, by either engine", .timeLimit(.minutes(5)))
struct RelayLimitTests {
    @Test("bytes wait as long as the limit says, and none is lost", arguments: relayModes)
    func limited(mode: RelayMode) async throws {
        let limit = SteadyLimit(bytesPerSecond: 1_000_000)
        let (client, origin) = (try BlockingSocket.listening(), try BlockingSocket.listening())
        let log = LogRecorder()
        let core = ProxyCore(
            ProxyConfiguration {
                $0.relay = mode
                $0.accessLog = { log.record($0) }
            }, logger: Logger(label: "test"))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let bootstrap = ClientBootstrap(group: loop).channelOption(.allowRemoteHalfClosure, value: true)
        let channels = try await [
            bootstrap.connect(host: "127.0.0.1", port: client.port).get(),
            bootstrap.connect(host: "127.0.0.1", port: origin.port).get(),
        ]
        try await loop.submit {
            let tunnel = Tunnel(
                client: channels[0], origin: channels[1], response: ByteBuffer(string: "hello"),
                idleTimeout: .seconds(60), limit: limit)
            try core.relay(tunnel, entry: AccessLogEntry(), since: .now())
        }.get()

        let pattern = BytePattern(seed: 11)
        let start = ContinuousClock.now
        try await onThread {
            let (client, origin) = (try client.accepted(), try origin.accepted())
            #expect(try client.receive(5) == "hello")
            // The FIN comes later: SwiftNIO reads at once all that stands before one.
            let sender = Thread { try? pattern.send(1_000_000, to: origin) }
            sender.start()
            #expect(try pattern.receive(1_000_000, from: client) == 1_000_000)
            try client.send("thanks")
            client.close()
            #expect(try origin.receive() == "thanks")
            origin.close()
        }
        // A second, but for what the last read brought at once.
        #expect(ContinuousClock.now - start > .milliseconds(500))
        let entry = try #require(try await log.first(1).first)
        #expect(entry.bytesDown == 1_000_000)
        #expect(entry.bytesUp == 6)
        #expect(limit.spent.withLock { $0 } == [.origin: 1_000_000, .client: 6])
        client.close()
        origin.close()
    }
}
