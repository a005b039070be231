package import NIOCore
import NIOSSL
package import ProxyAuth

extension ChannelBinding {
    /// Of a connection that a handler has encrypted; nil before its handshake.
    init?(_ handler: NIOSSLClientHandler) {
        guard let bytes = try? handler.peerCertificate?.toDERBytes() else { return nil }
        self.init(certificate: bytes)
    }

    /// Of a channel with one TLS in it, asked on its event loop; nil without.
    package init?(_ channel: any Channel) {
        guard let handler = try? channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
        else { return nil }
        self.init(handler)
    }
}
