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

    /// For their clients those in the queue are connected already; closing the socket would reset them.
    func stop() {
        self.channel.eventLoop.execute { self.close(atLatest: .now() + Self.timeToAccept) }
    }

    /// Somebody who connects faster than is accepted does not hold up the stop.
    private static let timeToAccept = TimeAmount.seconds(5)

    private func close(atLatest deadline: NIODeadline) {
        guard self.channel.hasUnread, .now() < deadline else { return self.channel.close(promise: nil) }
        self.channel.eventLoop.scheduleTask(in: .milliseconds(1)) { self.close(atLatest: deadline) }
    }

    func waitUntilClosed() async { try? await self.channel.closeFuture.get() }
}
