import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The file of a Unix socket that this process listens on.
struct UnixListener: Sendable {
    let path: String
    let descriptor: CInt
    private let device: UInt64
    private let inode: UInt64

    /// Binds a socket to the path. A file of a socket that nobody listens on any more is replaced; everything else that
    /// is there already is an error.
    init(path: String, mode: UInt16) throws {
        try Self.removeStale(path)
        let descriptor = try Self.bound(to: path, mode: mode)
        var status = stat()
        guard lstat(path, &status) == 0 else {
            let code = errno
            _ = close(descriptor)
            throw IOError(errnoCode: code, reason: "lstat")
        }
        self.path = path
        self.descriptor = descriptor
        self.device = UInt64(truncatingIfNeeded: status.st_dev)
        self.inode = UInt64(truncatingIfNeeded: status.st_ino)
    }

    /// Removes the file, unless another process has put its own in the place.
    func remove() {
        var status = stat()
        guard lstat(self.path, &status) == 0, UInt64(truncatingIfNeeded: status.st_dev) == self.device,
            UInt64(truncatingIfNeeded: status.st_ino) == self.inode
        else { return }
        _ = unlink(self.path)
    }

    private static func bound(to path: String, mode: UInt16) throws -> CInt {
        let descriptor = try UnixSocket.open(.stream)
        // Before it is bound, so that nobody connects who may not: on Linux the file takes the socket's mode. The second
        // call gives back what the process' umask took away.
        _ = fchmod(descriptor, mode_t(mode))
        guard Self.call(bind, descriptor, path) == 0, chmod(path, mode_t(mode)) == 0 else {
            let code = errno
            _ = close(descriptor)
            throw IOError(errnoCode: code, reason: "bind")
        }
        return descriptor
    }

    private static func removeStale(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw IOError(errnoCode: EEXIST, reason: "a file is there")
        }
        let probe = try UnixSocket.open(.stream)
        defer { _ = close(probe) }
        // A full queue would block, and is a listener too.
        _ = fcntl(probe, F_SETFL, O_NONBLOCK)
        guard Self.call(connect, probe, path) != 0, errno == ECONNREFUSED else {
            throw IOError(errnoCode: EADDRINUSE, reason: "connect")
        }
        _ = unlink(path)
    }

    private static func call(
        _ function: (CInt, UnsafePointer<sockaddr>?, socklen_t) -> CInt, _ descriptor: CInt, _ path: String
    ) -> CInt {
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else {
            errno = ENAMETOOLONG
            return -1
        }
        return address.withSockAddr { pointer, length in function(descriptor, pointer, socklen_t(length)) }
    }
}
