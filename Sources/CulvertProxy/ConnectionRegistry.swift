import NIOCore
import Synchronization

/// What the server tells its connections when it stops.
enum DrainEvent {
    /// No new requests: a connection that waits for one closes.
    case begin
    /// Time is up: a tunnel ends.
    case deadline
}

/// The open connections, those of clients and those of their tunnels, so that the server can wait for them to end, and end them.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var waiter: CheckedContinuation<Void, Never>?
        var isShut = false
    }

    private let state = Mutex(State())

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isShut = self.state.withLock { state in
            state.channels[id] = channel
            return state.isShut
        }
        if isShut { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in self.remove(id) }
    }

    func tell(_ event: DrainEvent) {
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
        for channel in channels { channel.close(promise: nil) }
    }

    /// Returns once no connection is open. For one waiter.
    func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = self.state.withLock { state in
                if !state.channels.isEmpty { state.waiter = continuation }
                return state.channels.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }

    private func remove(_ id: ObjectIdentifier) {
        let waiter = self.state.withLock { state in
            state.channels[id] = nil
            guard state.channels.isEmpty else { return nil as CheckedContinuation<Void, Never>? }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
