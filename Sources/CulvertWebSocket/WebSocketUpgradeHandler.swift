import CulvertTunnel
public import HTTPTypes
import HTTPWire
public import NIOCore
import WebSocketWire

/// Turns a connection into a WebSocket when its first request asks for one. For pipelines of your own; a
/// ``WebSocketServer`` has it in the pipelines of its listener.
///
/// It reads and writes bytes: put it behind the TLS handler if there is one, and before any HTTP codec. Handlers behind
/// it see nothing of a WebSocket.
///
/// ```swift
/// try channel.pipeline.syncOperations.addHandler(
///     WebSocketUpgradeHandler(otherRequests: .passOn) { upgrade in
///         upgrades.yield(upgrade)   // a task of yours: let socket = try await upgrade.accept()
///     })
/// try channel.pipeline.syncOperations.configureHTTPServerPipeline()
/// ```
public final class WebSocketUpgradeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    /// Bytes of the client.
    public typealias InboundIn = ByteBuffer
    /// What the handler that takes over gets.
    public typealias InboundOut = ByteBuffer
    /// Passed on as it is.
    public typealias OutboundIn = ByteBuffer
    /// The answer.
    public typealias OutboundOut = ByteBuffer

    /// What becomes of a request that asks for no WebSocket.
    public enum OtherRequests: Sendable {
        /// It is answered 426 (RFC 9110 §15.5.22).
        case refuse
        /// This handler leaves the pipeline; the next one gets every byte, the request's first included.
        case passOn
        /// The closure is called with it, on the event loop, and answers it then or later.
        case handTo(@Sendable (PlainHTTPRequest) -> Void)
    }

    private enum Phase {
        /// Up to the answer. Leaves on it, EOF, the deadline.
        case opening
        /// The answer is out, the output closed; what still comes is thrown away. Leaves on EOF or its timer.
        case lingering(discarded: Int)
        /// Another handler has the channel, or it is closed.
        case done
    }

    private let options: WebSocketUpgradeOptions
    private let otherRequests: OtherRequests
    private let onUpgrade: @Sendable (WebSocketUpgrade) -> Void
    private var parsed: (request: HTTPRequest, leftover: ByteBuffer)?
    private var opening: ServerOpening
    private var phase = Phase.opening
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var wantsRead = false

    /// A client that never reads its refusal is not waited for: 2 s are some round trips to anywhere.
    private static let lingerTime = TimeAmount.seconds(2)
    /// As much as a client may have under way before it sees the refusal.
    private static let lingerBytes = 256 * 1024

    /// A handler for one connection, which reads the connection's first request itself.
    ///
    /// - Parameters:
    ///   - options: which requests become WebSockets, and how those are used.
    ///   - otherRequests: what becomes of requests that ask for none.
    ///   - onUpgrade: called on the event loop with a request that asks for a WebSocket and keeps every rule; answers
    ///     it then or later.
    public init(
        _ options: WebSocketUpgradeOptions = .init(),
        otherRequests: OtherRequests = .refuse,
        onUpgrade: @escaping @Sendable (WebSocketUpgrade) -> Void
    ) {
        self.options = options
        self.otherRequests = otherRequests
        self.onUpgrade = onUpgrade
        self.opening = ServerOpening(origins: options.origins)
    }

    /// A handler for a connection whose request was read by another one, which hands it over and leaves the pipeline.
    ///
    /// - Parameters:
    ///   - request: the head of an HTTP/1.1 request.
    ///   - leftover: the bytes that came behind it.
    ///   - options: whether the request becomes a WebSocket, and how that is used.
    ///   - onUpgrade: called on the event loop when the request asks for a WebSocket and keeps every rule; a request
    ///     that does not is refused.
    public convenience init(
        request: HTTPRequest,
        leftover: ByteBuffer = ByteBuffer(),
        _ options: WebSocketUpgradeOptions = .init(),
        onUpgrade: @escaping @Sendable (WebSocketUpgrade) -> Void
    ) {
        self.init(options, onUpgrade: onUpgrade)
        self.parsed = (request, leftover)
    }

    // MARK: Events of the channel

    /// Starts the clock, and begins with the request that was handed over.
    public func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.timer = context.eventLoop.scheduleTask(in: TimeAmount(self.options.openTimeout)) {
            let handler = bound.value
            handler.perform(handler.opening.deadlineExpired())
        }
        guard let parsed else { return }
        self.parsed = nil
        self.perform(self.opening.begin(RequestHead(parsed.request), leftover: parsed.leftover))
    }

    /// Stops the clock.
    public func handlerRemoved(context: ChannelHandlerContext) {
        self.timer?.cancel()
        self.phase = .done
        self.context = nil
    }

    /// Takes bytes of the request.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.phase {
        case .opening:
            self.perform(self.opening.receive(Self.unwrapInboundIn(data)))
        case .lingering(let discarded):
            let count = discarded + Self.unwrapInboundIn(data).readableBytes
            self.phase = .lingering(discarded: count)
            if count > Self.lingerBytes { context.close(promise: nil) }
        case .done:
            context.fireChannelRead(data)
        }
    }

    /// Holds reads back while the application decides.
    public func read(context: ChannelHandlerContext) {
        // What a client sends before it has its answer stays with the kernel.
        if self.opening.isDeciding { self.wantsRead = true } else { context.read() }
    }

    /// Takes the end of the input for the end of the request.
    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (event, self.phase) {
        case (ChannelEvent.inputClosed, .opening): self.perform(self.opening.receiveEOF())
        case (ChannelEvent.inputClosed, .lingering): context.close(promise: nil)
        case (ServerEvent.stopping, .opening): self.perform(self.opening.stop())
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Forgets the request.
    public func channelInactive(context: ChannelHandlerContext) {
        _ = self.opening.receiveEOF()
        self.phase = .done
        self.timer?.cancel()
        context.fireChannelInactive()
    }

    /// Closes the connection.
    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .done = self.phase { return context.fireErrorCaught(error) }
        context.channel.closeWithoutFarewell()
    }

    // MARK: Actions of the opening

    private func perform(_ action: ServerOpening.Action) {
        guard let context, case .opening = self.phase else { return }
        switch action {
        case .needMore:
            break
        case .upgrade(let handshake):
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            self.onUpgrade(
                WebSocketUpgrade(handshake, remoteAddress: context.remoteAddress, handler: bound))
        case .other(let head, let bytes):
            self.otherRequest(head, bytes, context: context)
        case .refuse(let refusal):
            self.finish(refusal.serialize())
        case .close:
            self.phase = .done
            context.close(promise: nil)
        }
    }

    private func otherRequest(_ head: RequestHead, _ bytes: ByteBuffer, context: ChannelHandlerContext) {
        switch self.otherRequests {
        case .refuse:
            self.refuse(.upgradeRequired)
        case .passOn:
            self.leave(with: bytes, context: context)
        case .handTo(let answer):
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            answer(PlainHTTPRequest(head.httpRequest, remoteAddress: context.remoteAddress, handler: bound))
        }
    }

    // MARK: Answers of the application

    func accept(
        _ handshake: ServerHandshake, subprotocol: String?, fields: HTTPFields
    ) throws -> WebSocket {
        guard let context, case .opening = self.phase, let leftover = self.opening.takeLeftover() else {
            throw WebSocketError.connectionLost("the client is gone, or its request is answered already")
        }
        let deflate = handshake.deflate(for: self.options.compression)
        let spoken = subprotocol.map { [$0] } ?? self.options.subprotocols
        let (response, chosen) = handshake.answer(
            extensions: deflate.map { [$0.parameters.description] } ?? [],
            fields: self.options.headerFields + fields
        ) { offered in offered.first(where: spoken.contains) }
        let agreement = WebSocketAgreement(
            request: handshake.request.httpRequest, response: response, subprotocol: chosen, deflate: deflate)
        var head = ByteBuffer()
        ResponseHead(response: response).serialize(into: &head)
        let socket = try WebSocket(
            on: context.channel, position: .after(self), agreement: agreement, settings: self.options.settings
        )
        context.writeAndFlush(Self.wrapOutboundOut(head), promise: nil)
        self.leave(with: leftover, context: context)
        return socket
    }

    func refuse(_ refusal: ServerHandshakeRefusal) {
        guard self.opening.takeLeftover() != nil else { return }
        self.finish(refusal.serialize())
    }

    func respond(_ response: HTTPResponse, body: ByteBuffer, toHead: Bool) {
        guard self.opening.takeLeftover() != nil else { return }
        var response = response
        response.headerFields[.contentLength] = String(body.readableBytes)
        response.headerFields[.connection] = "close"
        var buffer = ByteBuffer()
        ResponseHead(response: response).serialize(into: &buffer)
        if !toHead { buffer.writeImmutableBuffer(body) }
        self.finish(buffer)
    }

    /// The next handler takes over, with the bytes it would have got.
    private func leave(with bytes: ByteBuffer, context: ChannelHandlerContext) {
        self.phase = .done
        _ = self.opening.takeLeftover()
        if bytes.readableBytes > 0 { context.fireChannelRead(Self.wrapInboundOut(bytes)) }
        if self.wantsRead { context.read() }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// Closing with unread input would make the kernel send RST, which can destroy the answer on its way. So only
    /// the output closes, and the input is read until the client has seen the answer.
    private func finish(_ answer: ByteBuffer) {
        guard let context, case .opening = self.phase else { return }
        self.phase = .lingering(discarded: 0)
        self.timer?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(Self.wrapOutboundOut(answer), promise: written)
        written.futureResult.whenComplete { _ in bound.value.close(mode: .output, promise: nil) }
        self.timer = context.eventLoop.scheduleTask(in: Self.lingerTime) {
            bound.value.channel.closeWithoutFarewell()
        }
        if self.wantsRead { context.read() }
    }
}

extension ServerHandshakeRefusal {
    fileprivate static let upgradeRequired = ServerHandshakeRefusal(
        .upgradeRequired, "this resource is a WebSocket", [.upgrade: "websocket"])
}
