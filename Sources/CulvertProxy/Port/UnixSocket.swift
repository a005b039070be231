import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Descriptors of the Unix domain, which no child of ours inherits.
enum UnixSocket {
    enum Kind {
        case stream, datagram

        fileprivate var value: CInt {
            #if canImport(Glibc)
                CInt((self == .stream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
            #else
                CInt(self == .stream ? SOCK_STREAM : SOCK_DGRAM)
            #endif
        }
    }

    static func open(_ kind: Kind) throws(IOError) -> CInt {
        let descriptor = socket(AF_UNIX, kind.value, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }
}
