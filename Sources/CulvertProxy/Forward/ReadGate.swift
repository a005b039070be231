import NIOCore

/// Holds back the reading of a channel while whoever gets its bytes takes no more. The channel's own settings stay.
final class ReadGate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private var context: ChannelHandlerContext?
    private var readIsWanted = false

    var isOpen = true {
        didSet {
            guard self.isOpen, self.readIsWanted else { return }
            self.readIsWanted = false
            self.context?.read()
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func read(context: ChannelHandlerContext) {
        if self.isOpen { context.read() } else { self.readIsWanted = true }
    }
}
