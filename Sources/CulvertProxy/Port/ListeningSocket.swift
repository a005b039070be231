import NIOCore

/// One of a server's listeners, wherever its connections begin.
protocol ListeningSocket: Sendable {
    /// With the port that the system chose.
    var address: ListenAddress? { get }
    /// Stops listening; does not wait.
    func stop()
    func waitUntilClosed() async
}

/// A listener whose connections begin in SwiftNIO.
struct ListeningChannel: ListeningSocket {
    let channel: any Channel

    var address: ListenAddress? { self.channel.localAddress.flatMap(ListenAddress.init) }

    func stop() { self.channel.close(promise: nil) }

    func waitUntilClosed() async { try? await self.channel.closeFuture.get() }
}
