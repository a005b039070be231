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
                // What was read before comes first.
                .channelOption(.autoRead, value: false)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        core.adopted(channel, self.permit)
                        try channel.pipeline.syncOperations.addHandler(self.makeHandler(core))
                    }
                }
                .withConnectedSocket(socket.descriptor)
            channel.whenComplete { result in
                done()
                guard case .success(let channel) = result else { return }
                if case .bytes(let bytes, _) = self, bytes.readableBytes > 0 {
                    channel.pipeline.fireChannelRead(bytes)
                    channel.pipeline.fireChannelReadComplete()
                }
                channel.setOption(.autoRead, value: true).whenComplete { _ in }
            }
        }

        private var permit: ClientPermit? {
            switch self {
            case .bytes(_, let permit): permit
            case .begun(_, let permit): permit
            }
        }

        private func makeHandler(_ core: ProxyCore) -> any ChannelHandler {
            switch self {
            case .bytes(_, let permit): PortHandler(core, permit: permit)
            case .begun(let request, let permit):
                ConnectionHandler(core, permit: permit, answering: request)
            }
        }
    }
#endif
