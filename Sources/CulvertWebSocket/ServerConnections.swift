import NIOCore
import Synchronization

/// What a server tells its connections.
enum ServerEvent {
    /// It takes no new requests.
    case stopping
}

/// The open connections of a server: how many there are, and a hold on each to end it.
final class ServerConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isShut = false
    }

    /// The connection is one too many.
    struct LimitReached: Error {}

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// - Throws: ``LimitReached`` when there is no room, or the server has stopped.
    func add(_ channel: any Channel) throws(LimitReached) {
        let id = ObjectIdentifier(channel)
        let isAdded = self.state.withLock { state in
            guard !state.isShut, state.channels.count < self.limit else { return false }
            state.channels[id] = channel
            return true
        }
        guard isAdded else { throw LimitReached() }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.channels[id] = nil } }
    }

    func tell(_ event: ServerEvent) {
        for channel in self.state.withLock({ Array($0.channels.values) }) {
            channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(event) }
        }
    }

    /// Closes every connection at once, and each that still comes.
    func closeAll() {
        let channels = self.state.withLock { state in
            state.isShut = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.eventLoop.execute { channel.closeWithoutFarewell() } }
    }
}
