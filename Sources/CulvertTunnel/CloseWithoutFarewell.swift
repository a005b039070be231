package import NIOCore
import NIOSSL

extension Channel {
    /// Closes TCP at once, without the exchange of close_notify for which a TLS handler would wait seconds. On the
    /// channel's event loop.
    package func closeWithoutFarewell() {
        // The handler nearest to the socket; what it passes on goes straight there.
        let pipeline = self.pipeline.syncOperations
        if let tls = (try? pipeline.context(handlerType: NIOSSLClientHandler.self))
            ?? (try? pipeline.context(handlerType: NIOSSLServerHandler.self))
        {
            tls.close(promise: nil)
        } else {
            self.close(promise: nil)
        }
    }
}
