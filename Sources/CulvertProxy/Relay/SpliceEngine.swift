#if os(Linux)
    import CulvertTunnel
    import NIOCore
    import NIOPosix

    /// The engine that takes the descriptors out of their channels: plain sockets on both sides, whose bytes the
    /// kernel moves.
    struct SpliceEngine: RelayEngine {
        let loops: SpliceLoops
        let registry: ConnectionRegistry

        var name: String { "splice" }
        var leavesChannels: Bool { true }

        func take(_ tunnel: Tunnel, _ open: () -> TunnelRecord) throws -> Bool {
            guard let client = try tunnel.client.copiedSocket() else { return false }
            guard let origin = try tunnel.origin.copiedSocket() else {
                client.close()
                return false
            }
            do {
                let early = try tunnel.client.collectLeftovers()
                let banner = try tunnel.origin.collectLeftovers()
                let relay = SpliceRelay(
                    client: client, origin: origin, idleTimeout: tunnel.idleTimeout, limit: tunnel.limit,
                    loop: self.loops.next(), registry: self.registry, record: open())
                // Until the present event is over, handlers may still pass bytes on.
                tunnel.client.eventLoop.assumeIsolated().execute {
                    var sent = tunnel.early
                    sent.append(early.bytes)
                    relay.begin(response: tunnel.response, early: sent, banner: banner.bytes)
                    // A close is no shutdown: the connections go on in the copies of their descriptors.
                    tunnel.client.close(promise: nil)
                    tunnel.origin.close(promise: nil)
                    relay.start()
                }
                return true
            } catch {
                client.close()
                origin.close()
                throw error
            }
        }
    }

    extension Channel {
        /// A second descriptor for the channel's connection; nil when it is no plain socket, when it still owes its
        /// peer bytes, or when there is no descriptor left.
        fileprivate func copiedSocket() throws -> SpliceSocket? {
            guard self.isPlain, try self.syncOptions?.getOption(.bufferedWritableBytes) == 0 else {
                return nil
            }
            return try self.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) {
                SpliceSocket(descriptor: $0).duplicate()
            } ?? nil
        }

        /// Stops reading, and keeps what still comes out of the pipeline.
        fileprivate func collectLeftovers() throws -> LeftoverCollector {
            let collector = LeftoverCollector()
            try self.syncOptions?.setOption(.autoRead, value: false)
            try self.pipeline.syncOperations.addHandler(collector)
            return collector
        }
    }

    /// Bytes that were read before a channel was left, and that no other handler wanted.
    private final class LeftoverCollector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private(set) var bytes = ByteBuffer()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.bytes.writeImmutableBuffer(Self.unwrapInboundIn(data))
        }
    }
#endif
