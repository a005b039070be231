internal import NIOCore

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Bytes in and out, as far as they go without waiting.
extension LoopbackSocket {
    /// Appends what is there, 64 KiB at most: how many bytes, 0 at the peer's end, nil when there are none yet.
    func receive(into buffer: inout ByteBuffer) throws(SystemCallError) -> Int? {
        var result = 0
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { room in
            repeat {
                result = recv(descriptor, room.baseAddress, room.count, 0)
            } while result < 0 && errno == EINTR
            return max(0, result)
        }
        if result >= 0 { return result }
        if errno == EAGAIN || errno == EWOULDBLOCK { return nil }
        throw SystemCallError("recv")
    }

    /// Takes off the front of `buffer` what the system accepts now.
    func send(from buffer: inout ByteBuffer) throws(SystemCallError) {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        while buffer.readableBytes > 0 {
            var result = 0
            buffer.readWithUnsafeReadableBytes { bytes in
                #if canImport(Darwin)
                    result = Darwin.send(descriptor, bytes.baseAddress, bytes.count, flags)
                #elseif canImport(Glibc)
                    result = Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags)
                #else
                    result = Musl.send(descriptor, bytes.baseAddress, bytes.count, flags)
                #endif
                return max(0, result)
            }
            guard result < 0 else { continue }
            if errno == EAGAIN || errno == EWOULDBLOCK { return }
            if errno != EINTR { throw SystemCallError("send") }
        }
    }

    /// Sends FIN. On a connection that is broken already it does nothing.
    func endOutput() {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }
}
