import Foundation
import HTTPWire
import NIOCore
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A listening socket that the service manager opened and passed on, as `sd_listen_fds(3)` tells.
struct PassedSocket: Sendable {
    /// The first of them: 0 to 2 are the standard streams.
    private static let firstDescriptor: CInt = 3
    /// More sockets than a proxy listens on; the environment is not trusted with the size of a loop.
    private static let maxCount = 1024

    let descriptor: CInt
    /// Where it listens; nil for what is neither IP nor Unix.
    let address: ListenAddress?

    /// Those of this process, in the order they were passed. The environment is asked once.
    static let all: [PassedSocket] = {
        let count = Self.count(in: ProcessInfo.processInfo.environment, process: getpid())
        return (0..<count).map { PassedSocket(descriptor: Self.firstDescriptor + CInt($0)) }
    }()

    /// How many sockets were passed to the process of this id.
    static func count(in environment: [String: String], process: pid_t) -> Int {
        guard let pid = environment["LISTEN_PID"].flatMap({ pid_t($0) }), pid == process,
            let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), (1...Self.maxCount).contains(count)
        else { return 0 }
        return count
    }

    private init(descriptor: CInt) {
        self.descriptor = descriptor
        // No child of ours is to keep the port.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length) == 0
            }
        }
        self.address = isKnown ? Self.address(&storage) : nil
    }

    private static func address(_ storage: inout sockaddr_storage) -> ListenAddress? {
        withUnsafePointer(to: &storage) { pointer in
            switch CInt(pointer.pointee.ss_family) {
            case AF_INET:
                pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    ListenAddress(SocketAddress($0.pointee))
                }
            case AF_INET6:
                pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    ListenAddress(SocketAddress($0.pointee))
                }
            case AF_UNIX:
                pointer.withMemoryRebound(to: sockaddr_un.self, capacity: 1) {
                    ListenAddress(SocketAddress($0.pointee))
                }
            default: nil
            }
        }
    }

    /// A descriptor of our own to the same socket, so that closing it leaves the service manager's open.
    func duplicate() throws -> CInt {
        let copy = fcntl(self.descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw IOError(errnoCode: errno, reason: "fcntl") }
        return copy
    }
}
