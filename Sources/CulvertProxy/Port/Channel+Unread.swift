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
    /// Whether its socket has what SwiftNIO will read with its next events: bytes, an end, a connection to accept. To
    /// close it now would reset a client who was in time. On the channel's event loop.
    var hasUnread: Bool {
        let answer = try? self.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { descriptor in
            var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&question, 1, 0) > 0
        }
        return answer ?? false
    }
}
