package import NIOCore
import NIOSSL

extension Channel {
    /// Whether its bytes are the socket's: no TLS on the way. On the channel's event loop.
    package var isPlain: Bool {
        let pipeline = self.pipeline.syncOperations
        let client = try? pipeline.context(handlerType: NIOSSLClientHandler.self)
        let server = try? pipeline.context(handlerType: NIOSSLServerHandler.self)
        return client == nil && server == nil
    }
}
