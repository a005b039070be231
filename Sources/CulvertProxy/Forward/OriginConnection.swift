import CulvertTunnel
import HTTPWire
import NIOCore
import ProxyAuth

/// What an exchange hears of the server's side.
protocol OriginConnectionUser: AnyObject {
    func originReceived(_ bytes: ByteBuffer)
    func originReadCompleted()
    func originWritabilityChanged()
    /// Its FIN came, or it closed after an error.
    func originClosed(isClean: Bool)
}

/// One connection to an origin or to a parent that forwards: in use by one exchange, or waiting in the pool.
final class OriginConnection: ChannelInboundHandler, RemovableChannelHandler, PooledConnection {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let key: OriginKey
    let address: IPAddress?
    let port: UInt16
    /// Both, for the log.
    let addressText: String?
    let channel: any Channel
    private let gate = ReadGate()
    private let pool: OriginPool<OriginConnection>
    private var user: (any OriginConnectionUser)?
    private var context: ChannelHandlerContext?
    private var timer: DeadlineTimer?
    private var inputIsClosed = false
    private(set) var isReused = false
    /// The parent at its end knows who speaks here, in every request.
    var isAuthenticated = false
    /// What binds an authentication to it where it is TLS.
    private(set) lazy var channelBinding = ChannelBinding(self.channel)

    /// Adds itself to the channel, on its event loop.
    init(_ channel: any Channel, key: OriginKey, pool: OriginPool<OriginConnection>) throws {
        self.key = key
        self.channel = channel
        self.pool = pool
        let remote = channel.remoteAddress
        self.address = remote.flatMap(IPAddress.init)
        self.port = remote?.port.map { UInt16(truncatingIfNeeded: $0) } ?? 0
        self.addressText = remote.flatMap(ListenAddress.init)?.description
        try channel.pipeline.syncOperations.addHandlers([self.gate, self])
    }

    var isUsable: Bool { !self.inputIsClosed && self.context != nil && self.channel.isActive }
    var isWritable: Bool { self.channel.isWritable }

    /// For one exchange.
    func use(by user: any OriginConnectionUser) {
        self.user = user
        self.timer?.clear()
    }

    /// The exchange is over, and its last byte came.
    func release() {
        self.user = nil
        self.isReused = true
        self.gate.isOpen = true
    }

    func close() {
        self.user = nil
        self.channel.close(promise: nil)
    }

    func waitInPool(_ time: TimeAmount) {
        let timer = self.timer ?? DeadlineTimer(on: self.channel.eventLoop) { [weak self] in self?.close() }
        self.timer = timer
        timer.set(in: time)
    }

    /// Leaves the pipeline to a relay, which is behind this handler and gets what the server sent early.
    func leave(passing early: ByteBuffer) {
        guard let context else { return }
        self.user = nil
        self.timer?.invalidate()
        self.gate.isOpen = true
        if early.readableBytes > 0 {
            context.fireChannelRead(Self.wrapInboundOut(early))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func write(_ bytes: ByteBuffer) {
        self.context?.write(Self.wrapOutboundOut(bytes), promise: nil)
    }

    func flush() {
        self.context?.flush()
    }

    /// Whether its bytes find a taker.
    func setReading(_ isReading: Bool) {
        if self.gate.isOpen != isReading { self.gate.isOpen = isReading }
    }

    /// How much is written and not yet sent, in bytes.
    var unsentBytes: Int { self.channel.unsentBytes }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody asked for anything: whatever it is, it must not be taken for the next answer.
        guard let user else { return self.close() }
        user.originReceived(Self.unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.user?.originReadCompleted()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.user?.originWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            self.inputIsClosed = true
            if let user { user.originClosed(isClean: true) } else { self.close() }
        case DrainEvent.begin where self.user == nil:
            self.close()
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.timer?.invalidate()
        self.pool.remove(self)
        self.context = nil
        let user = self.user
        self.user = nil
        user?.originClosed(isClean: false)
    }
}
