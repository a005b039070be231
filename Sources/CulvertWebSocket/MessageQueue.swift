import NIOCore
import Synchronization
import WebSocketWire

/// Messages, and pieces of large ones, between the event loop that receives them and the one task that reads them.
///
/// Past the high watermark the queue asks the loop to stop reading the socket, below the low one to go on. A
/// cancelled read takes no message with it.
final class MessageQueue: Sendable {
    /// Why the sequence ends.
    enum End: Sendable {
        case finished
        case failed(WebSocketError)
    }

    /// How the connection was closed; nil while it is open.
    var close: WebSocketClose? { self.state.withLock { $0.close } }

    /// What the event loop hands over.
    enum Item: Sendable, Equatable {
        case message(WebSocketMessage)
        case fragment(WebSocketFragment)

        /// A small item costs memory too: its place in the queue and its storage.
        private static let overhead = 64

        /// The same, fit to be kept.
        var detached: Item {
            switch self {
            case .message(let message): .message(message.detached)
            case .fragment: self
            }
        }

        var cost: Int {
            switch self {
            case .message(let message): message.byteCount + Self.overhead
            case .fragment(let fragment): fragment.bytes.readableBytes + Self.overhead
            }
        }
    }

    /// Unchecked, which costs less than half: it is resumed by whoever takes it out of the state, under its lock.
    private typealias Waiter = UnsafeContinuation<Item?, any Error>

    private struct State {
        var items = CircularBuffer<Item>()
        var bytes = 0
        var end: End?
        var close: WebSocketClose?
        var waiter: Waiter?
        var isPaused = false
        var isDiscarding = false
        /// The consumer has an item and is not back for the next one.
        var isConsuming = false
        /// The return is awaited.
        var tellsReturn = false
    }

    private let state = Mutex(State())
    private let watermarks: WebSocketWatermarks

    init(watermarks: WebSocketWatermarks) {
        self.watermarks = watermarks
    }

    private enum Delivery {
        case queued(keepReading: Bool)
        case handTo(Waiter)
    }

    /// Returns false once reading should pause until ``next(onProgress:)`` reports that there is room.
    func push(_ item: Item) -> Bool {
        let delivery = self.state.withLock { state -> Delivery in
            if state.isDiscarding { return .queued(keepReading: true) }
            if let waiter = state.waiter {
                state.waiter = nil
                state.isConsuming = true
                return .handTo(waiter)
            }
            // It may wait for long.
            state.items.append(item.detached)
            state.bytes += item.cost
            // Only draining ends a pause: reading goes on when `next` reports it, and not before.
            if state.bytes > self.watermarks.high { state.isPaused = true }
            return .queued(keepReading: !state.isPaused)
        }
        switch delivery {
        case .queued(let keepReading):
            return keepReading
        case .handTo(let waiter):
            waiter.resume(returning: item)
            return true
        }
    }

    /// Whether items came that the consumer is not done with. Then ``next(onProgress:)`` reports its return.
    func isConsumerBusy() -> Bool {
        self.state.withLock { state in
            state.tellsReturn = !state.isDiscarding && (state.isConsuming || !state.items.isEmpty)
            return state.tellsReturn
        }
    }

    /// Ends the sequence behind the messages already queued. Only the first end counts.
    func finish(_ end: End, close: WebSocketClose) {
        let waiter = self.state.withLock { state in
            guard state.end == nil else { return nil as Waiter? }
            state.end = end
            state.close = close
            defer { state.waiter = nil }
            return state.waiter
        }
        guard let waiter else { return }
        switch end {
        case .finished: waiter.resume(returning: nil)
        case .failed(let error): waiter.resume(throwing: error)
        }
    }

    /// Ends the sequence at once, without the items that wait: what comes next cannot be taken.
    func fail(_ error: WebSocketError, close: WebSocketClose) {
        self.state.withLock { state in
            state.items.removeAll()
            state.bytes = 0
            state.isDiscarding = true
            state.end = .failed(error)
            if state.close == nil { state.close = close }
        }
    }

    /// Drops what is queued and what still comes: nobody reads any more. Returns whether reading was paused.
    func discard() -> Bool {
        self.state.withLock { state in
            state.isDiscarding = true
            state.items.removeAll()
            state.bytes = 0
            defer { state.isPaused = false }
            return state.isPaused
        }
    }

    private enum Step {
        case ready(Result<Item?, any Error>, drained: Bool)
        /// The consumer is done with what came; `isAwaited` when somebody wants to know.
        case wait(isAwaited: Bool)
    }

    /// The next item; nil behind the last one. For one task at a time. `onProgress` is called when there is room again
    /// behind a pause, and when a consumer is back that ``isConsumerBusy()`` found busy.
    func next(onProgress: () -> Void) async throws -> Item? {
        // An item that is there is delivered even to a cancelled task: cancelling must lose none.
        if case .ready(let result, let drained) = self.take() {
            if drained { onProgress() }
            return try result.get()
        }
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                switch self.state.withLock({ self.step(&$0, continuation) }) {
                case .ready(let result, let drained):
                    if drained { onProgress() }
                    continuation.resume(with: result)
                case .wait(let isAwaited):
                    if isAwaited { onProgress() }
                }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    /// Takes an item, or registers the continuation.
    private func step(_ state: inout State, _ continuation: Waiter) -> Step {
        let step = Self.take(&state, low: self.watermarks.low)
        guard case .wait = step else { return step }
        if Task.isCancelled { return .ready(.failure(CancellationError()), drained: false) }
        guard state.waiter == nil else {
            let misuse = WebSocketError.invalidRequest("a WebSocket's messages have one consumer at a time")
            return .ready(.failure(misuse), drained: false)
        }
        state.waiter = continuation
        state.isConsuming = false
        defer { state.tellsReturn = false }
        return .wait(isAwaited: state.tellsReturn)
    }

    private func take() -> Step {
        self.state.withLock { Self.take(&$0, low: self.watermarks.low) }
    }

    private static func take(_ state: inout State, low: Int) -> Step {
        if let item = state.items.popFirst() {
            state.isConsuming = true
            state.bytes -= item.cost
            let drained = state.isPaused && state.bytes <= low
            if drained { state.isPaused = false }
            return .ready(.success(item), drained: drained)
        }
        switch state.end {
        case nil: return .wait(isAwaited: false)
        case .finished: return .ready(.success(nil), drained: false)
        case .failed(let error): return .ready(.failure(error), drained: false)
        }
    }
}
