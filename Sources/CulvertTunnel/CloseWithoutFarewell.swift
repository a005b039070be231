package import NIOCore
import NIOSSL

extension Channel {
    /// Closes TCP at once, without the exchange of close_notify for which a TLS handler would wait seconds. On the
    /// channel's event loop.
    package func closeWithoutFarewell() {
        // The handler nearest to the socket; what it passes on goes straight there.
        if let tls = try? self.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self) {
            tls.close(promise: nil)
        } else {
            self.close(promise: nil)
        }
    }
}
