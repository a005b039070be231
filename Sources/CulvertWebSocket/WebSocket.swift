public import CulvertTunnel
public import HTTPTypes
public import NIOCore
import Synchronization
public import WebSocketWire

/// An open WebSocket: an asynchronous sequence of the messages that come, and ``send(_:)-(String)`` for those that go.
/// ``send(_:_:)`` sends a message piece by piece, ``fragments`` receives them so.
///
/// The sequence has one consumer at a time. It ends when the connection was closed in good order, and throws
/// ``WebSocketError`` when it was not. Sending is for any number of tasks.
public final class WebSocket: AsyncSequence, Sendable {
    /// A text or binary message.
    public typealias Element = WebSocketMessage

    /// The subprotocol that the server chose of those the client offered.
    public let subprotocol: String?
    /// What the server agreed to when compression was offered; nil when messages go plain.
    public let compression: WebSocketDeflateParameters?
    /// The client's request.
    public let request: HTTPRequest
    /// The server's 101.
    public let response: HTTPResponse
    /// The proxies that a client's connection goes through; direct for a server's.
    public let route: Route
    /// The address at the other end of the socket: a proxy's, where one lies between. Nil when the channel has none.
    public let remoteAddress: SocketAddress?

    private let channel: any Channel
    private let handler: NIOLoopBound<WebSocketHandler>
    private let queue: MessageQueue
    private let gauge: LatencyGauge
    private let closeTimeout: TimeAmount
    private let incoming = Mutex(IncomingMessages())
    /// The event loop hands out fragments.
    private let isStreaming = Atomic(false)
    /// ``close(_:reason:)`` was called.
    private let hasClosed = Atomic(false)
    private let openingTimeline = Mutex<WebSocketTimeline?>(nil)

    /// Takes a channel whose upgrade went through: adds the handler of the open WebSocket. On the channel's event
    /// loop; the bytes behind the upgrade are for the caller to fire.
    init(
        on channel: any Channel,
        position: ChannelPipeline.SynchronousOperations.Position,
        agreement: WebSocketAgreement,
        settings: WebSocketSettings
    ) throws {
        try channel.syncOptions?.setOption(
            .writeBufferWaterMark, value: settings.outboundWatermarks.ofChannel)
        self.channel = channel
        self.queue = MessageQueue(watermarks: settings.inboundWatermarks)
        self.gauge = LatencyGauge()
        let handler = WebSocketHandler(
            settings, queue: self.queue, latency: self.gauge, transform: agreement.deflate)
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        self.subprotocol = agreement.subprotocol
        self.compression = agreement.deflate?.parameters
        self.request = agreement.request
        self.response = agreement.response
        self.route = agreement.route
        self.remoteAddress = channel.remoteAddress
        self.closeTimeout = TimeAmount(settings.closeTimeout)
        try channel.pipeline.syncOperations.addHandler(handler, position: position)
        self.executor = handler.executor
    }

    /// Runs tasks on the connection's event loop.
    let executor: EventLoopTaskExecutor?

    // MARK: Receiving

    /// Iterates over the messages that come.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(socket: self)
    }

    /// Iterates over the messages that come.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let socket: WebSocket

        /// The next message; nil once the connection is closed in good order.
        public mutating func next() async throws -> WebSocketMessage? {
            try await self.socket.receive()
        }
    }

    /// The next message; nil once the connection is closed in good order. Cancelling the wait loses no message.
    ///
    /// - Throws: ``WebSocketError``; `CancellationError`.
    public func receive() async throws -> WebSocketMessage? {
        self.setStreaming(false)
        while let item = try await self.nextItem() {
            switch item {
            case .message(let message): return message
            case .fragment(let fragment): if let message = try self.join(fragment) { return message }
            }
        }
        return nil
    }

    private func nextItem() async throws -> MessageQueue.Item? {
        try await self.queue.next(onProgress: { self.onLoop { $0.consumerProgressed() } })
    }

    private func join(_ fragment: WebSocketFragment) throws(WebSocketError) -> WebSocketMessage? {
        do {
            return try self.incoming.withLock { incoming throws(WebSocketProtocolError) in
                try incoming.join(fragment)
            }
        } catch {
            let close = WebSocketClose(code: error.closeCode, reason: error.detail)
            self.queue.fail(.protocolViolation(error), close: close)
            self.onLoop { $0.refuse(error) }
            throw .protocolViolation(error)
        }
    }

    /// What comes, piece by piece, as it arrives: for messages too large to hold.
    public var fragments: WebSocketFragments { WebSocketFragments(socket: self) }

    func receiveFragment() async throws -> WebSocketFragment? {
        self.setStreaming(true)
        guard let item = try await self.nextItem() else { return nil }
        return self.incoming.withLock { $0.fragment(item) }
    }

    private func setStreaming(_ isOn: Bool) {
        guard self.isStreaming.load(ordering: .relaxed) != isOn else { return }
        self.isStreaming.store(isOn, ordering: .relaxed)
        self.onLoop { $0.deliver(isOn ? .fragments : .messagesOrFragments) }
    }

    /// The code and reason the connection was closed with; nil while it is open. 1005 stands for a close frame
    /// without a code, 1006 for none at all (RFC 6455 §7.4.1).
    public var closeStatus: WebSocketClose? { self.queue.close }

    /// The peer's close, when it went away in good order and this side had not closed.
    var departure: WebSocketClose? {
        guard !self.hasClosed.load(ordering: .relaxed), let close = self.closeStatus,
            close.code == .goingAway
        else { return nil }
        return close
    }

    /// How long the parts of opening took; nil in the server's role.
    public var timeline: WebSocketTimeline? { self.openingTimeline.withLock { $0 } }

    func opened(_ tunnel: TunnelTimeline?, upgrade: TimeAmount, total: TimeAmount) {
        guard let tunnel else { return }
        let timeline = WebSocketTimeline(
            tunnel: tunnel, upgrade: .nanoseconds(upgrade.nanoseconds), total: .nanoseconds(total.nanoseconds)
        )
        self.openingTimeline.withLock { $0 = timeline }
    }

    // MARK: Sending

    /// Sends a message; suspends while more than the high watermark waits for the socket. A cancelled wait sends
    /// nothing.
    ///
    /// - Throws: ``WebSocketError`` when the connection is closed; `CancellationError`.
    public func send(_ message: WebSocketMessage) async throws {
        // A task that runs on the connection's loop changes no thread and makes no ticket.
        if self.channel.eventLoop.inEventLoop, !Task.isCancelled,
            try self.handler.value.sendAtOnce(message)
        {
            return
        }
        try await self.wait(for: SendTicket(.message(message)))
    }

    func wait(for ticket: SendTicket) async throws {
        let handler = self.handler
        try await ticket.wait(on: self.channel.eventLoop) {
            handler.value.send(ticket)
        } cancel: {
            handler.value.cancel(ticket)
        }
    }

    /// Sends a text message.
    public func send(_ text: String) async throws {
        try await self.send(.text(text))
    }

    /// Sends a binary message.
    public func send(_ bytes: ByteBuffer) async throws {
        try await self.send(.binary(bytes))
    }

    /// Sends a message that was prepared once for many connections; otherwise as ``send(_:)-(WebSocketMessage)``.
    ///
    /// ```swift
    /// let news = WebSocketPreparedMessage(.text(text))
    /// await withDiscardingTaskGroup { group in
    ///     for socket in subscribers { group.addTask { try? await socket.send(news) } }
    /// }
    /// ```
    public func send(_ prepared: WebSocketPreparedMessage) async throws {
        try await self.wait(for: SendTicket(.prepared(prepared)))
    }

    /// Sends one message piece by piece, each piece as one frame (RFC 6455 §5.4).
    ///
    /// ```swift
    /// try await socket.send(.text) { writer in
    ///     for try await row in rows { try await writer.write(row) }
    /// }
    /// ```
    ///
    /// The message ends when the closure returns. Other senders wait until then; pings and pongs go in between. When
    /// the closure throws, or leaves a text inside a character, the message cannot be ended truthfully: the
    /// connection is closed with 1011, also on cancellation, because peers take a 1001 for a good end and would lose
    /// the half message in silence. Only where nothing was written yet, nothing happens.
    ///
    /// - Parameters:
    ///   - kind: of the whole message.
    ///   - body: writes it. The writer is of no use after it.
    /// - Returns: what the closure returns.
    /// - Throws: what the closure throws; ``WebSocketError`` when the connection is closed or the text not UTF-8;
    ///   `CancellationError` from the wait for its turn.
    public func send<Result>(
        _ kind: WebSocketMessageKind,
        _ body: (WebSocketMessageWriter) async throws -> Result
    ) async throws -> Result {
        let stream = MessageStream(kind)
        try await self.wait(for: SendTicket(.stream(stream)))
        do {
            let result = try await body(WebSocketMessageWriter(stream, self))
            let handler = self.handler
            let error = try await self.channel.eventLoop.submit { handler.value.finish(stream) }.get()
            if let error { throw error }
            return result
        } catch {
            let timeout = self.closeTimeout
            self.onLoop { $0.abandon(stream, timeout: timeout) }
            throw error
        }
    }

    /// Sends a ping and waits for its pong.
    ///
    /// - Returns: the round trip's duration, the peer's and both sides' waiting messages included.
    /// - Throws: ``WebSocketError`` when the connection ends first; `CancellationError`.
    @discardableResult
    public func ping() async throws -> Duration {
        let ticket = PingTicket()
        let handler = self.handler
        return try await ContinuousClock().measure {
            try await ticket.wait(on: self.channel.eventLoop) {
                handler.value.ping(ticket)
            } cancel: {
                handler.value.cancel(ticket)
            }
        }
    }

    /// The round trip of the last ping that was answered, a call's or the keepalive's; nil before the first.
    public var latency: Duration? { self.gauge.value }

    // MARK: Closing

    /// Starts the close handshake and returns; what the peer still sends is received until its close frame comes.
    /// Without an answer within the close timeout the connection is cut. Closing twice does nothing.
    ///
    /// - Parameters:
    ///   - code: one that may be sent: 1000 to 1003, 1007 to 1014, or 3000 to 4999.
    ///   - reason: at most 123 bytes of UTF-8.
    /// - Throws: ``WebSocketError/unsendable(_:)`` when code or reason cannot be sent.
    public func close(_ code: WebSocketCloseCode, reason: String = "") async throws {
        self.hasClosed.store(true, ordering: .relaxed)
        let handler = self.handler
        let timeout = self.closeTimeout
        let error = try await self.channel.eventLoop.submit {
            handler.value.close(code, reason: reason, timeout: timeout)
        }.get()
        if let error { throw error }
    }

    /// Starts the close handshake without waiting for the event loop.
    func startClosing(_ code: WebSocketCloseCode) {
        let timeout = self.closeTimeout
        self.onLoop { _ = $0.close(code, reason: "", timeout: timeout) }
    }

    /// Closes for good: nobody receives any more. Runs to its end in a cancelled task too.
    func shutDown(_ code: WebSocketCloseCode) async {
        let wasPaused = self.queue.discard()
        let timeout = self.closeTimeout
        self.onLoop { handler in
            if wasPaused { handler.resumeReading() }
            if handler.close(code, reason: "", timeout: timeout) != nil {
                handler.closeChannel(within: .zero)
            }
        }
        try? await self.channel.closeFuture.get()
    }

    private func onLoop(_ action: @escaping @Sendable (WebSocketHandler) -> Void) {
        let handler = self.handler
        self.channel.eventLoop.execute { action(handler.value) }
    }
}
