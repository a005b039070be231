#if os(Linux)
    import CulvertTunnel
    import HTTPWire
    import NIOCore
    import NIOPosix

    /// How a connection that began in front of SwiftNIO goes on as a channel.
    enum Handover: Sendable {
        /// With bytes that were read and are not for the front.
        case bytes(ByteBuffer, ClientPermit?)
        /// With an answer that is owed.
        case begun(BegunRequest, ClientPermit)

        /// Makes the channel.
        ///
        /// - Parameter done: called once the channel is registered and counted in the connection's place, or there is none.
        func pass(
            _ socket: SpliceSocket, in surroundings: FrontListener.Surroundings,
            _ done: @escaping @Sendable () -> Void
        ) {
            let core = surroundings.core
            let channel = ClientBootstrap(group: surroundings.group.next())
                .channelOption(.allowRemoteHalfClosure, value: true)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        core.adopted(channel, self.permit)
                        try channel.pipeline.syncOperations.addHandlers(self.makeHandlers(core))
                    }
                }
                .withConnectedSocket(socket.descriptor)
            channel.whenComplete { _ in done() }
        }

        private var permit: ClientPermit? {
            switch self {
            case .bytes(_, let permit): permit
            case .begun(_, let permit): permit
            }
        }

        private func makeHandlers(_ core: ProxyCore) -> [any ChannelHandler] {
            switch self {
            case .bytes(let bytes, let permit): [BytesBefore(bytes), PortHandler(core, permit: permit)]
            case .begun(let request, let permit):
                [ConnectionHandler(core, permit: permit, answering: request)]
            }
        }
    }

    /// Tells of bytes that were read before the channel was, ahead of all that the channel reads: an end that has come
    /// by then makes it read at once.
    private final class BytesBefore: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer

        private let bytes: ByteBuffer

        init(_ bytes: ByteBuffer) {
            self.bytes = bytes
        }

        func channelActive(context: ChannelHandlerContext) {
            context.fireChannelActive()
            if self.bytes.readableBytes > 0 {
                context.fireChannelRead(Self.wrapInboundOut(self.bytes))
                context.fireChannelReadComplete()
            }
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        }
    }
#endif
