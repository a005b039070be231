import HTTPWire
import NIOCore
import NIOHPACK
import NIOHTTP2

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Makes one HTTP/2 stream a connection of HTTP/1.1 for the handlers behind it, FIN and reset included: performs what
/// its ``HTTP2StreamMachine`` says.
final class HTTP2StreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var machine = HTTP2StreamMachine()
    private var context: ChannelHandlerContext?
    /// END_STREAM came.
    private var inputHasEnded = false
    /// RST_STREAM is out: its echo is no news.
    private var isReset = false
    /// How much is written and not yet sent, in bytes.
    private(set) var unsentBytes = 0
    /// Told once everything before them is out.
    private var waiting: [EventLoopPromise<Void>] = []

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    // MARK: What the client sends

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            switch Self.unwrapInboundIn(data) {
            case .headers(let frame):
                let section = frame.headers.map { HTTP2Field($0.name, $0.value) }
                self.inputHasEnded = frame.endStream
                let received = try self.machine.receive(section: section, isEnd: frame.endStream)
                self.pass(received, context: context)
            case .data(let frame):
                guard case .byteBuffer(let bytes) = frame.data else { return }
                self.inputHasEnded = frame.endStream
                let received = try self.machine.receive(data: bytes, isEnd: frame.endStream)
                self.pass(received, context: context)
            default:
                break
            }
        } catch {
            self.reset(.protocolError)
        }
    }

    private func pass(_ received: HTTP2StreamMachine.Received, context: ChannelHandlerContext) {
        if received.bytes.readableBytes > 0 { context.fireChannelRead(Self.wrapInboundOut(received.bytes)) }
        guard received.isEnd else { return }
        context.fireChannelReadComplete()
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is NIOHTTP2Errors.StreamClosed else { return context.fireErrorCaught(error) }
        if !self.isReset { context.fireErrorCaught(IOError(errnoCode: ECONNRESET, reason: "RST_STREAM")) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.isReset = true
        self.settle(.failure(ChannelError.ioOnClosedChannel))
        // A stream closes while its last frame is written: whoever wrote it comes to its end first.
        context.eventLoop.assumeIsolated().execute { context.fireChannelInactive() }
    }

    // MARK: What the proxy sends

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = Self.unwrapOutboundIn(data)
        do {
            for sent in try self.machine.send(bytes) { self.write(sent, context: context) }
        } catch {
            self.reset(.internalError)
        }
        if let promise { self.complete(promise) }
    }

    private func write(_ sent: HTTP2StreamMachine.Sent, context: ChannelHandlerContext) {
        switch sent {
        case .head(let section, let isEnd):
            let headers = HPACKHeaders(section.map { ($0.name, $0.value) })
            context.write(
                Self.wrapOutboundOut(.headers(.init(headers: headers, endStream: isEnd))), promise: nil)
        case .data(let bytes):
            self.write(bytes, context: context)
        case .trailers(let section):
            let headers = HPACKHeaders(section.map { ($0.name, $0.value) })
            context.write(
                Self.wrapOutboundOut(.headers(.init(headers: headers, endStream: true))), promise: nil)
        case .end:
            let frame = HTTP2Frame.FramePayload.Data(data: .byteBuffer(ByteBuffer()), endStream: true)
            context.write(Self.wrapOutboundOut(.data(frame)), promise: nil)
        }
    }

    private func write(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        let count = bytes.readableBytes
        self.unsentBytes += count
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            self.unsentBytes -= count
            if self.unsentBytes == 0 { self.settle(result) }
        }
        let frame = HTTP2Frame.FramePayload.Data(data: .byteBuffer(bytes))
        context.write(Self.wrapOutboundOut(.data(frame)), promise: written)
    }

    /// A stream has no empty write that would wait for its turn.
    private func complete(_ promise: EventLoopPromise<Void>) {
        if self.isReset { return promise.fail(ChannelError.ioOnClosedChannel) }
        if self.unsentBytes == 0 { promise.succeed() } else { self.waiting.append(promise) }
    }

    private func settle(_ result: Result<Void, any Error>) {
        let waiting = self.waiting
        self.waiting = []
        for promise in waiting { promise.completeWith(result) }
    }

    // MARK: Ends

    /// Its output's end is END_STREAM. A whole close resets what the client has not ended, once the answer is whole.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        do {
            if let sent = try self.machine.sendEnd() { self.write(sent, context: context) }
            context.flush()
        } catch {
            self.reset(.internalError)
        }
        guard mode == .all else {
            promise?.succeed()
            return
        }
        if !self.inputHasEnded { self.reset(.noError) }
        context.channel.closeFuture.cascade(to: promise)
    }

    /// For the proxy: the client must not take the end for a whole answer, or the target's for an orderly one.
    func reset() {
        self.reset(self.machine.isTunnel ? .connectError : .internalError)
    }

    private func reset(_ code: HTTP2ErrorCode) {
        guard !self.isReset, let context else { return }
        self.isReset = true
        context.writeAndFlush(Self.wrapOutboundOut(.rstStream(code)), promise: nil)
    }
}
