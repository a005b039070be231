import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Channel {
    /// Closes, on the event loop, so that the peer cannot take it for an end: what is unsent is lost, and a RST goes out instead of a FIN.
    func reset() {
        guard let socket = self as? any SocketOptionProvider else {
            self.http2Stream?.reset()
            return self.close(promise: nil)
        }
        // Closing with no time to linger makes the kernel send RST.
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in self.close(promise: nil) }
    }

    /// How much is written and not yet sent, in bytes. On the event loop.
    var unsentBytes: Int {
        // A stream has no such option, and takes the question for a fault of ours.
        guard self is any SocketOptionProvider else { return self.http2Stream?.unsentBytes ?? 0 }
        return (try? self.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    private var http2Stream: HTTP2StreamHandler? {
        try? self.pipeline.syncOperations.handler(type: HTTP2StreamHandler.self)
    }
}
