import NIOCore
import Synchronization

/// What the server tells its connections when it stops.
enum DrainEvent {
    /// No new requests: a connection that waits for one closes.
    case begin
    /// Time is up: a tunnel ends.
    case deadline
}

/// A tunnel that is no channel any more.
protocol RegisteredRelay: AnyObject, Sendable {
    func hear(_ event: DrainEvent)
    func closeNow()
}

/// The open connections, those of clients and those of their tunnels, so that the server can wait for them to end, and end them.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var relays: [ObjectIdentifier: any RegisteredRelay] = [:]
        var waiter: CheckedContinuation<Void, Never>?
        var isShut = false

        var isEmpty: Bool { self.channels.isEmpty && self.relays.isEmpty }

        mutating func waiterIfEmpty() -> CheckedContinuation<Void, Never>? {
            guard self.isEmpty else { return nil }
            defer { self.waiter = nil }
            return self.waiter
        }
    }

    private let state = Mutex(State())

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isShut = self.state.withLock { state in
            state.channels[id] = channel
            return state.isShut
        }
        if isShut { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in self.removeChannel(id) }
    }

    func add(_ relay: some RegisteredRelay) {
        let isShut = self.state.withLock { state in
            state.relays[ObjectIdentifier(relay)] = relay
            return state.isShut
        }
        if isShut { relay.closeNow() }
    }

    func remove(_ relay: some RegisteredRelay) {
        self.state.withLock { state in
            state.relays[ObjectIdentifier(relay)] = nil
            return state.waiterIfEmpty()
        }?.resume()
    }

    func tell(_ event: DrainEvent) {
        let (channels, relays) = self.state.withLock { (Array($0.channels.values), Array($0.relays.values)) }
        for channel in channels {
            channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(event) }
        }
        for relay in relays { relay.hear(event) }
    }

    /// Closes every connection at once, and each that still comes.
    func closeAll() {
        let (channels, relays) = self.state.withLock { state in
            state.isShut = true
            return (Array(state.channels.values), Array(state.relays.values))
        }
        for channel in channels { channel.close(promise: nil) }
        for relay in relays { relay.closeNow() }
    }

    /// Returns once no connection is open. For one waiter.
    func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = self.state.withLock { state in
                if !state.isEmpty { state.waiter = continuation }
                return state.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }

    private func removeChannel(_ id: ObjectIdentifier) {
        self.state.withLock { state in
            state.channels[id] = nil
            return state.waiterIfEmpty()
        }?.resume()
    }
}
