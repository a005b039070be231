package import NIOCore
import NIOSSL

/// Takes the end of a proxy's TLS without close_notify for a plain end of the stream, as the proxies that do so mean
/// it. Nothing is trusted with that: what travels inside the tunnel tells its own end, or is as open as plain TCP.
package final class UncleanShutdownFilter: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer

    package init() {}

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The TLS handler reports the closed input right behind this error.
        if case NIOSSLError.uncleanShutdown = error { return }
        context.fireErrorCaught(error)
    }
}
