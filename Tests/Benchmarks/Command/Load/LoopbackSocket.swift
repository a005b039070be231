#if os(Linux)
    import CBenchmarks
    import Glibc

    /// The socket calls of the load generator: non-blocking TCP over IPv4's loopback.
    enum LoopbackSocket {
        /// What a read or a write came to.
        enum Outcome: Equatable {
            case bytes(Int)
            case wouldBlock
            case ended
            case failed(CInt)
        }

        /// A listener on 127.0.0.1; port 0 is a free one.
        static func listen(port: UInt16) throws -> (socket: CInt, port: UInt16) {
            let socket = try self.make()
            var on: CInt = 1
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
            var address = self.address(port: port)
            guard self.withAddress(&address, { Glibc.bind(socket, $0, $1) }) == 0,
                Glibc.listen(socket, 4096) == 0
            else {
                let error = SystemCallError("listening on 127.0.0.1:\(port)")
                close(socket)
                throw error
            }
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            _ = withUnsafeMutableBytes(of: &address) { bytes in
                getsockname(socket, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
            }
            return (socket, UInt16(bigEndian: address.sin_port))
        }

        /// A socket that is connecting; it is writable once it is connected.
        static func connect(port: UInt16) throws -> CInt {
            let socket = try self.make()
            self.setNoDelay(socket)
            var address = self.address(port: port)
            let result = self.withAddress(&address) { Glibc.connect(socket, $0, $1) }
            guard result == 0 || errno == EINPROGRESS else {
                let error = SystemCallError("connecting to 127.0.0.1:\(port)")
                close(socket)
                throw error
            }
            return socket
        }

        /// The next connection that waits; nil when none does.
        static func accept(_ listener: CInt) throws -> CInt? {
            let socket = culvert_accept(listener)
            if socket >= 0 {
                self.setNoDelay(socket)
                return socket
            }
            if errno == EAGAIN || errno == ECONNABORTED || errno == EINTR { return nil }
            throw SystemCallError("accept")
        }

        /// The error that a socket met while it was connecting.
        static func pendingError(_ socket: CInt) -> CInt {
            var code: CInt = 0
            var length = socklen_t(MemoryLayout<CInt>.size)
            getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length)
            return code
        }

        static func read(_ socket: CInt, into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
            self.outcome(recv(socket, buffer.baseAddress, buffer.count, 0))
        }

        /// Takes bytes off the socket without copying them: a load generator should not be what is measured.
        static func discard(_ socket: CInt, atMost count: Int) -> Outcome {
            self.outcome(recv(socket, nil, count, CInt(MSG_TRUNC)))
        }

        static func write(_ socket: CInt, _ bytes: UnsafeRawBufferPointer) -> Outcome {
            let count = send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
            return count == 0 ? .wouldBlock : self.outcome(count)
        }

        private static func outcome(_ count: Int) -> Outcome {
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended }
            return errno == EAGAIN || errno == EINTR ? .wouldBlock : .failed(errno)
        }

        private static func make() throws -> CInt {
            let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            let socket = Glibc.socket(AF_INET, kind, 0)
            guard socket >= 0 else { throw SystemCallError("socket") }
            return socket
        }

        private static func setNoDelay(_ socket: CInt) {
            var on: CInt = 1
            setsockopt(socket, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        }

        private static func address(port: UInt16) -> sockaddr_in {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return address
        }

        private static func withAddress(
            _ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>?, socklen_t) -> CInt
        ) -> CInt {
            withUnsafeBytes(of: &address) { bytes in
                body(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
            }
        }
    }
#endif
