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
    /// Closes so that the peer cannot take it for an end: what is unsent is lost, and a RST goes out instead of a FIN.
    func reset() {
        guard let socket = self as? any SocketOptionProvider else { return self.close(promise: nil) }
        // Closing with no time to linger makes the kernel send RST.
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in self.close(promise: nil) }
    }
}
