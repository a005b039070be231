#if os(Linux)
    import CLinux
    import HTTPWire
    import NIOCore

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// Listening, accepting and connecting by TCP; every socket non-blocking and closed on exec.
    extension SpliceSocket {
        /// How many may wait to be accepted: as many as Linux allows by default; it caps the value itself.
        static let backlog: CInt = 4096

        /// - Throws: the system's error.
        static func listening(on address: IPAddress, port: UInt16) throws(IOError) -> SpliceSocket {
            let socket = try self.make(for: address)
            do throws(IOError) {
                // Without it a port stays taken for a minute after its last connection.
                try socket.set(SOL_SOCKET, SO_REUSEADDR)
                // Accepted sockets inherit it.
                try socket.set(CInt(IPPROTO_TCP), TCP_NODELAY)
                try address.withSocketAddress(port: port) { (name, length) throws(IOError) in
                    guard bind(socket.descriptor, name, length) == 0 else {
                        throw IOError(errnoCode: errno, reason: "bind")
                    }
                }
                guard listen(socket.descriptor, self.backlog) == 0 else {
                    throw IOError(errnoCode: errno, reason: "listen")
                }
            } catch {
                socket.close()
                throw error
            }
            return socket
        }

        /// Its own address and port; nil for what is not IP.
        var localAddress: (address: IPAddress, port: UInt16)? {
            var name = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let code = withUnsafeMutablePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(self.descriptor, $0, &length)
                }
            }
            return code == 0 ? IPAddress.parts(of: name) : nil
        }

        enum Accepted {
            case connection(SpliceSocket, IPAddress, port: UInt16)
            /// It ended while it waited.
            case aborted
            /// Nobody waits.
            case nobody
            /// No descriptor or no memory is left.
            case exhausted
        }

        func accept() -> Accepted {
            var name = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = withUnsafeMutablePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    culvert_accept(self.descriptor, $0, &length)
                }
            }
            guard accepted < 0 else {
                let socket = SpliceSocket(descriptor: accepted)
                if let (address, port) = IPAddress.parts(of: name) {
                    return .connection(socket, address, port: port)
                }
                socket.close()
                return .aborted
            }
            switch errno {
            case EAGAIN, EWOULDBLOCK: return .nobody
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            // What is wrong with one connection (accept(2)), or a signal.
            default: return .aborted
            }
        }

        /// A socket that is about to be connected: room for writing, or an error, tells that it is.
        static func connecting(to address: IPAddress, port: UInt16) throws(IOError) -> SpliceSocket {
            let socket = try self.make(for: address)
            do throws(IOError) {
                try socket.set(CInt(IPPROTO_TCP), TCP_NODELAY)
                try address.withSocketAddress(port: port) { (name, length) throws(IOError) in
                    guard connect(socket.descriptor, name, length) != 0, errno != EINPROGRESS else { return }
                    throw IOError(errnoCode: errno, reason: "connect")
                }
            } catch {
                socket.close()
                throw error
            }
            return socket
        }

        private static func make(for address: IPAddress) throws(IOError) -> SpliceSocket {
            let family =
                switch address {
                case .v4: AF_INET
                case .v6: AF_INET6
                }
            let descriptor = socket(family, self.kind, 0)
            guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
            return SpliceSocket(descriptor: descriptor)
        }

        private func set(_ level: CInt, _ name: CInt) throws(IOError) {
            var value: CInt = 1
            let size = socklen_t(MemoryLayout<CInt>.size)
            guard setsockopt(self.descriptor, level, name, &value, size) == 0 else {
                throw IOError(errnoCode: errno, reason: "setsockopt")
            }
        }
    }

    extension IPAddress {
        fileprivate func withSocketAddress<Failure: Error>(
            port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Failure) -> Void
        ) throws(Failure) {
            var name = sockaddr_storage()
            let length =
                switch self {
                case .v4(let number): Self.make(&name, of: number.bigEndian, port: port)
                case .v6(let high, let low):
                    Self.make(&name, of: (high.bigEndian, low.bigEndian), port: port)
                }
            try withUnsafePointer(to: &name) { (pointer) throws(Failure) in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { (pointer) throws(Failure) in
                    try body(pointer, length)
                }
            }
        }

        private static func make<Octets>(
            _ name: inout sockaddr_storage, of octets: Octets, port: UInt16
        ) -> socklen_t {
            withUnsafeBytes(of: octets) { culvert_make_name(&name, $0.baseAddress, $0.count, port) }
        }

        fileprivate static func parts(of name: sockaddr_storage) -> (address: IPAddress, port: UInt16)? {
            var octets: (UInt64, UInt64) = (0, 0)
            var port: UInt16 = 0
            return withUnsafeMutableBytes(of: &octets) { octets in
                withUnsafePointer(to: name) { name in
                    let count = culvert_read_name(name, octets.baseAddress, &port)
                    return IPAddress(bytes: octets[..<count]).map { ($0, port) }
                }
            }
        }
    }
#endif
