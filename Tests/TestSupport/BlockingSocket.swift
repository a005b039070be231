import Foundation

#if os(Linux)
    import CLinux
#endif

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A TCP socket on loopback whose calls block, so that one thread can play both ends of a tunnel step by step. No call
/// waits longer than 30 s. On Linux no program that another test starts meanwhile inherits it: closed here, it would
/// stay open there.
package final class BlockingSocket: Sendable {
    package enum Failure: Error, Equatable {
        /// The peer has reset the connection.
        case reset
        case timedOut
        /// A proxy's answer to CONNECT is not its 200.
        case refused
        case system(call: String, code: Int32)
    }

    package let descriptor: Int32

    private init(_ descriptor: Int32) throws {
        guard descriptor >= 0 else { throw Failure.system(call: "socket", code: errno) }
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            _ = setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// 127.0.0.1.
    package static let loopback: UInt32 = 0x7F00_0001

    /// Bound and listening.
    ///
    /// - Parameters:
    ///   - address: IPv4, one of loopback's.
    ///   - port: 0 is a free one.
    ///   - backlog: how many connections may wait to be accepted.
    package static func listening(
        on address: UInt32 = loopback, port: Int = 0, backlog: Int32 = 512
    ) throws -> BlockingSocket {
        let socket = try BlockingSocket.tcp()
        guard Self.withAddress(address, port: UInt16(port), { bind(socket.descriptor, $0, $1) }) == 0,
            listen(socket.descriptor, backlog) == 0
        else { throw Failure.system(call: "listen", code: errno) }
        return socket
    }

    package static func connected(
        to address: UInt32 = loopback, toPort port: Int
    ) throws -> BlockingSocket {
        let socket = try BlockingSocket.tcp()
        guard Self.withAddress(address, port: UInt16(port), { connect(socket.descriptor, $0, $1) }) == 0
        else {
            throw Failure.system(call: "connect", code: errno)
        }
        return socket
    }

    package var port: Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(self.descriptor, $0, &length)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    package func accepted() throws -> BlockingSocket {
        #if os(Linux)
            try BlockingSocket(culvert_accept_blocking(self.descriptor, nil, nil))
        #else
            try BlockingSocket(Self.closedByExec(accept(self.descriptor, nil, nil)))
        #endif
    }

    /// A tunnel to this listener: the client's end behind the proxy's 200, and the origin's.
    ///
    /// - Parameter early: sent right behind the CONNECT.
    package func tunnel(
        through proxyPort: Int, early: String = ""
    ) throws -> (client: BlockingSocket, origin: BlockingSocket) {
        let client = try BlockingSocket.connected(toPort: proxyPort)
        let target = "127.0.0.1:\(self.port)"
        try client.send("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n\(early)")
        let origin = try self.accepted()
        let answer = "HTTP/1.1 200 Connection established\r\n\r\n"
        guard try client.receive(answer.utf8.count) == answer else { throw Failure.refused }
        return (client, origin)
    }

    package func send(_ text: String) throws {
        try Array(text.utf8).withUnsafeBytes { try self.send($0) }
    }

    package func send(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let slice = UnsafeRawBufferPointer(rebasing: rest)
            rest = rest.dropFirst(try Self.check("send", Self.send(self.descriptor, slice)))
        }
    }

    /// What is there, at least a byte; nothing at the peer's FIN.
    package func receive(into room: UnsafeMutableRawBufferPointer) throws -> Int {
        try Self.check("recv", recv(self.descriptor, room.baseAddress, room.count, 0))
    }

    /// So many bytes, fewer at the peer's FIN.
    package func receive(_ count: Int = .max) throws -> String {
        var all: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 * 1024)
        while all.count < count {
            let read = try room.withUnsafeMutableBytes {
                try self.receive(into: .init(rebasing: $0[..<min($0.count, count - all.count)]))
            }
            if read == 0 { break }
            all += room[..<read]
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// Sends FIN.
    package func finish() { _ = shutdown(self.descriptor, Int32(SHUT_WR)) }

    package func close() {
        #if canImport(Darwin)
            _ = Darwin.close(self.descriptor)
        #elseif canImport(Glibc)
            _ = Glibc.close(self.descriptor)
        #else
            _ = Musl.close(self.descriptor)
        #endif
    }

    /// Closes with RST.
    package func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(
            self.descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        self.close()
    }

    private static func check(_ call: String, _ result: Int) throws -> Int {
        if result >= 0 { return result }
        switch errno {
        case ECONNRESET, EPIPE: throw Failure.reset
        case EAGAIN, EWOULDBLOCK: throw Failure.timedOut
        case let code: throw Failure.system(call: call, code: code)
        }
    }

    private static func tcp() throws -> BlockingSocket {
        #if canImport(Glibc)
            try BlockingSocket(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        #elseif canImport(Musl)
            try BlockingSocket(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
        #else
            try BlockingSocket(Self.closedByExec(socket(AF_INET, SOCK_STREAM, 0)))
        #endif
    }

    #if !os(Linux)
        /// A program that was started a moment before has it all the same, and keeps the connection open.
        private static func closedByExec(_ descriptor: Int32) -> Int32 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            return descriptor
        }
    #endif

    private static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.send(descriptor, bytes.baseAddress, bytes.count, 0)
        #elseif canImport(Glibc)
            Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #else
            Musl.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #endif
    }

    private static func withAddress(
        _ ip: UInt32, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = ip.bigEndian
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// Runs blocking code on a thread of its own.
package func onThread<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result(catching: body)) }
    }
}
