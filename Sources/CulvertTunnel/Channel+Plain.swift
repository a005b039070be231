package import NIOCore
import NIOPosix
import NIOSSL

extension Channel {
    /// Whether its bytes are the socket's: no TLS on the way, and no stream of a connection that has others. On the
    /// channel's event loop.
    package var isPlain: Bool {
        guard self is any SocketOptionProvider else { return false }
        let pipeline = self.pipeline.syncOperations
        let client = try? pipeline.context(handlerType: NIOSSLClientHandler.self)
        let server = try? pipeline.context(handlerType: NIOSSLServerHandler.self)
        return client == nil && server == nil
    }
}
