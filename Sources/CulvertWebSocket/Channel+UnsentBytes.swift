package import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Channel {
    /// Bytes that were written and have not arrived: those that wait for the socket, and those that the peer's kernel
    /// has not acknowledged, megabytes on a slow path. On the channel's event loop.
    package var unsentBytes: Int {
        let waiting = (try? self.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        return waiting + self.unacknowledgedBytes
    }

    /// 0 for a channel that is no socket.
    private var unacknowledgedBytes: Int {
        let pipeline = self.pipeline.syncOperations
        let count = try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
            var count: CInt = 0
            #if canImport(Darwin)
                var size = socklen_t(MemoryLayout<CInt>.size)
                let result = getsockopt(descriptor, SOL_SOCKET, SO_NWRITE, &count, &size)
            #else
                let result = ioctl(descriptor, UInt(TIOCOUTQ), &count)
            #endif
            return result == 0 ? Int(count) : 0
        }
        return count ?? 0
    }
}
