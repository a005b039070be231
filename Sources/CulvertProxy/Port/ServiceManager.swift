import Foundation
import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The service manager that started this process and wants to know how it fares, as `sd_notify(3)` tells it.
public struct ServiceManager: Sendable {
    /// What a service may tell of itself.
    public enum State: Sendable, Hashable {
        /// It listens, or has reloaded.
        case ready
        /// It reads its configuration again; `ready` follows.
        case reloading
        /// It stops.
        case stopping
    }

    /// The one that `NOTIFY_SOCKET` names; nil when there is none.
    public static var current: ServiceManager? {
        ProcessInfo.processInfo.environment["NOTIFY_SOCKET"].flatMap(ServiceManager.init(socket:))
    }

    private let path: String

    /// - Parameter socket: an absolute path, or `@name` of Linux' abstract names.
    public init?(socket: String) {
        guard socket.hasPrefix("/") || socket.hasPrefix("@"), socket.utf8.count < 104 else { return nil }
        self.path = socket
    }

    /// Tells it; a manager that does not listen is no error of the service.
    public func tell(_ state: State) {
        let message = Array(Self.message(state, monotonicMicroseconds: Self.now).utf8)
        guard let descriptor = try? UnixSocket.open(.datagram) else { return }
        defer { _ = close(descriptor) }
        self.withAddress { address, length in
            _ = sendto(descriptor, message, message.count, 0, address, length)
        }
    }

    static func message(_ state: State, monotonicMicroseconds: UInt64) -> String {
        switch state {
        case .ready: "READY=1"
        // The time tells an old READY from the one that ends this reload.
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds)"
        case .stopping: "STOPPING=1"
        }
    }

    private static var now: UInt64 {
        var time = timespec()
        guard clock_gettime(CLOCK_MONOTONIC, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) &* 1_000_000 &+ UInt64(time.tv_nsec) / 1000
    }

    private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Void) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(self.path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { field in
            field.copyBytes(from: name)
            // An abstract name begins with a zero.
            if name.first == UInt8(ascii: "@") { field[0] = 0 }
        }
        // An abstract name ends where the address does, a path at its zero.
        let prefix = MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 0
        let length = socklen_t(prefix + name.count + (name.first == UInt8(ascii: "@") ? 0 : 1))
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
