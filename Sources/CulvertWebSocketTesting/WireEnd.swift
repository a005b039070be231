import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The end of a wire in memory, in the place of a socket: what is written here arrives at the other end, when that
/// one reads. Both ends are on one event loop.
final class WireEnd: ChannelDuplexHandler {
    typealias InboundIn = Never
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private let side: WebSocketFaults.Side
    private let faults: WebSocketFaults
    private var context: ChannelHandlerContext?
    private var peer: WireEnd?
    /// Written there, not yet read here.
    private var arriving = CircularBuffer<ByteBuffer>()
    private var arrivingBytes = 0
    private var wantsRead = false
    private var hasEnded = false
    /// The opening is over: faults begin.
    var isOpen = false

    /// 64 KiB, as a small socket buffer: past it the sender's channel is not writable.
    private static let capacity = 64 << 10

    init(_ side: WebSocketFaults.Side, faults: WebSocketFaults) {
        self.side = side
        self.faults = faults
    }

    func connect(to peer: WireEnd) {
        self.peer = peer
        peer.peer = self
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.peer = nil
        self.arriving.removeAll()
    }

    // MARK: Sending

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = Self.unwrapOutboundIn(data)
        promise?.succeed()
        guard bytes.readableBytes > 0 else { return }
        switch self.isOpen ? self.faults.onWrite?(bytes, self.side) ?? .deliver(bytes) : .deliver(bytes) {
        case .deliver(let bytes): self.peer?.arrive(bytes)
        case .drop: break
        case .cut: self.cut()
        }
    }

    func flush(context: ChannelHandlerContext) {}

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .input:
            promise?.succeed()
        case .output:
            self.peer?.end()
            promise?.succeed()
        case .all:
            self.peer?.end()
            context.close(mode: .all, promise: promise)
        }
    }

    /// Both ends are reset.
    func cut() {
        for end in [self, self.peer].compactMap(\.self) {
            guard let context = end.context else { continue }
            let bound = NIOLoopBound((end: end, context: context), eventLoop: context.eventLoop)
            context.eventLoop.execute {
                let (end, context) = bound.value
                end.peer = nil
                context.fireErrorCaught(IOError(errnoCode: ECONNRESET, reason: "read"))
                context.close(promise: nil)
            }
        }
    }

    // MARK: Receiving

    func read(context: ChannelHandlerContext) {
        self.wantsRead = true
        self.deliverSoon()
    }

    private func arrive(_ bytes: ByteBuffer) {
        var bytes = bytes
        self.arrivingBytes += bytes.readableBytes
        let size = max(1, self.faults.maxPieceBytes ?? .max)
        while let piece = bytes.readSlice(length: min(size, bytes.readableBytes)), piece.readableBytes > 0 {
            self.arriving.append(piece)
        }
        self.updatePeerWritability()
        self.deliverSoon()
    }

    private func end() {
        self.hasEnded = true
        self.deliverSoon()
    }

    private func deliverSoon() {
        guard let context, self.wantsRead else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.deliver() }
    }

    private func deliver() {
        guard let context, self.wantsRead else { return }
        if let piece = self.arriving.popFirst() {
            self.wantsRead = false
            self.arrivingBytes -= piece.readableBytes
            self.updatePeerWritability()
            context.fireChannelRead(Self.wrapInboundOut(piece))
            context.fireChannelReadComplete()
            // As a channel that reads by itself.
            context.channel.read()
        } else if self.hasEnded {
            self.hasEnded = false
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }

    private func updatePeerWritability() {
        guard let context = self.peer?.context, let channel = context.channel as? any WritableChannel else {
            return
        }
        let isWritable = self.arrivingBytes < Self.capacity
        guard channel.isWritable != isWritable else { return }
        channel.setWritable(isWritable)
        context.fireChannelWritabilityChanged()
    }
}

/// A channel that can be told whether it takes more.
protocol WritableChannel: Channel {
    func setWritable(_ isWritable: Bool)
}
