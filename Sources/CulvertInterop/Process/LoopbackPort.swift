import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Ports of 127.0.0.1.
package enum LoopbackPort {
    /// One that nobody listens on just now, and that nobody gets by chance: for programs that cannot choose one
    /// themselves. The system gives connections a port of their own as well, thousands in a busy minute, so theirs are
    /// left out; and none is given twice before all were.
    package static func free() throws -> Int {
        for _ in self.candidates {
            let port = self.turn.withLock { turn in
                turn = (turn + 1) % self.candidates.count
                return self.candidates.lowerBound + turn
            }
            if self.isFree(port) { return port }
        }
        throw POSIXError(.EADDRINUSE)
    }

    private static let turn = Locked(Int.random(in: 0..<candidates.count))

    /// Below the system's own: 32768 on Linux unless it was told otherwise, more elsewhere.
    private static let candidates: Range<Int> = {
        let range = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
        let lowest = range?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 32768
        return lowest > 12000 ? 10240..<min(lowest, 32768) : 10240..<65536
    }()

    private static func isFree(_ port: Int) -> Bool {
        guard let port = UInt16(exactly: port) else { return false }
        let descriptor = self.streamSocket()
        defer { close(descriptor) }
        var address = self.loopback(port: port)
        return self.withSocketAddress(&address) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }

    /// Whether somebody accepts there.
    package static func accepts(_ port: Int) -> Bool {
        guard let port = UInt16(exactly: port) else { return false }
        let descriptor = self.streamSocket()
        defer { close(descriptor) }
        var address = self.loopback(port: port)
        return self.withSocketAddress(&address) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }

    private static func streamSocket() -> Int32 {
        #if canImport(Glibc)
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #else
            socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func withSocketAddress<T>(
        _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> T
    ) -> T {
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }
}
