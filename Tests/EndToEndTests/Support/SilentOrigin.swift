import NIOCore
import NIOPosix

/// Accepts, reads, and never says a word.
final class SilentOrigin: Sendable {
    private let channel: any Channel
    let port: Int

    init() async throws {
        self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        self.port = try (self.channel.localAddress?.port).unwrapped("the origin's port")
    }

    deinit { self.channel.close(promise: nil) }
}
