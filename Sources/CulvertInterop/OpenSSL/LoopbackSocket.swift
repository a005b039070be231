internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A TCP socket on 127.0.0.1 that never blocks, raises no SIGPIPE and is not meant for children. Closed by
/// `dispose`, or when its last owner goes.
final class LoopbackSocket: Sendable {
    let descriptor: Int32
    private let isDisposed = Atomic(false)

    private init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { dispose() }

    /// Closes it. Nothing else may be called after that, because the number may mean another file by then.
    func dispose() {
        guard !isDisposed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // A child that was started between two calls here has a copy, which must not keep the peer waiting.
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
        _ = close(descriptor)
    }

    /// A new one, neither bound nor connected.
    convenience init() throws(SystemCallError) {
        #if canImport(Darwin)
            let kind = SOCK_STREAM
        #else
            let kind = Int32(SOCK_STREAM.rawValue)
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw SystemCallError("socket") }
        self.init(owning: descriptor)
        try prepare()
    }

    /// Bound to a free port.
    static func bound() throws(SystemCallError) -> LoopbackSocket {
        let socket = try LoopbackSocket()
        guard withLoopbackAddress(port: 0, { bind(socket.descriptor, $0, $1) }) == 0 else {
            throw SystemCallError("bind")
        }
        return socket
    }

    /// Starts to accept, with as many waiting connections as the system allows.
    func startListening() throws(SystemCallError) {
        guard listen(descriptor, SOMAXCONN) == 0 else { throw SystemCallError("listen") }
    }

    /// The port it is bound to.
    func port() throws(SystemCallError) -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { throw SystemCallError("getsockname") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// The next waiting connection; nil when there is none, or the one there was has gone.
    func accepted() throws(SystemCallError) -> LoopbackSocket? {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else {
            if [EAGAIN, EWOULDBLOCK, EINTR, ECONNABORTED].contains(errno) { return nil }
            throw SystemCallError("accept")
        }
        let socket = LoopbackSocket(owning: connection)
        try socket.prepare()
        return socket
    }

    /// Starts to connect; what became of it `checkConnected` tells, once the socket is writable.
    func startConnecting(toPort port: Int) throws(SystemCallError) {
        let result = withLoopbackAddress(port: UInt16(truncatingIfNeeded: port)) {
            connect(descriptor, $0, $1)
        }
        guard result == 0 || errno == EINPROGRESS else { throw SystemCallError("connect") }
    }

    /// Throws why connecting failed, when it did.
    func checkConnected() throws(SystemCallError) {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            throw SystemCallError("getsockopt")
        }
        if code != 0 { throw SystemCallError("connect", code: code) }
    }

    private func prepare() throws(SystemCallError) {
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Small frames are answered at once. An error here means that the peer has gone, which reading will tell.
        _ = setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
            throw SystemCallError("fcntl")
        }
        #if canImport(Darwin)
            guard setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, size) == 0 else {
                throw SystemCallError("setsockopt")
            }
        #endif
    }
}

private func withLoopbackAddress(
    port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    address.sin_port = port.bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
