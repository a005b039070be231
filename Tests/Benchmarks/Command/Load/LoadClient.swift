#if os(Linux)
    import Glibc

    /// The client's side of the load: opens tunnels and lets a workload use them. Used by one thread.
    final class LoadClient {
        /// Where a workload reads into.
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        private let target: LoadTarget
        private let workload: any Workload
        private let epoll: Epoll
        private var tunnels: [CInt: Tunnel] = [:]

        /// Tunnels asked for and not open yet.
        private(set) var waiting = 0
        /// Open tunnels wait for all the others: the work of many would leave no time to open more.
        private var isFilling = false

        init(_ target: LoadTarget, _ workload: any Workload) throws {
            self.target = target
            self.workload = workload
            self.epoll = try Epoll()
        }

        deinit {
            for socket in self.tunnels.keys { Glibc.close(socket) }
            self.scratch.deallocate()
        }

        var openTunnels: Int { self.tunnels.count - self.waiting }

        /// Starts to open a tunnel.
        func open() throws {
            let tunnel = Tunnel(try LoopbackSocket.connect(port: self.target.port))
            self.tunnels[tunnel.socket] = tunnel
            self.waiting += 1
            try self.epoll.add(tunnel.socket, .write)
        }

        func close(_ tunnel: Tunnel) {
            self.tunnels[tunnel.socket] = nil
            Glibc.close(tunnel.socket)
        }

        func closeAll() {
            for tunnel in self.tunnels.values { self.close(tunnel) }
            self.waiting = 0
        }

        /// Waits for something else on a tunnel from now on.
        func wait(for interest: Epoll.Interest, on tunnel: Tunnel) throws {
            try self.epoll.change(tunnel.socket, interest)
        }

        /// Calls `body` with every open tunnel.
        func forEachTunnel(_ body: (Tunnel) throws -> Void) rethrows {
            for tunnel in self.tunnels.values { try body(tunnel) }
        }

        /// Opens tunnels until there are so many, a few at a time: what is measured comes later.
        func fill(_ count: Int, seconds: Double = 120) throws {
            let end = nanoseconds() + UInt64(seconds * 1e9)
            self.isFilling = true
            while self.openTunnels < count {
                while self.waiting < 16, self.tunnels.count < count { try self.open() }
                try self.turn()
                guard nanoseconds() < end else {
                    throw LoadError("only \(self.openTunnels) of \(count) tunnels opened in \(seconds) s")
                }
            }
            self.isFilling = false
            for tunnel in self.tunnels.values {
                try self.epoll.change(tunnel.socket, try self.workload.opened(tunnel, of: self))
            }
        }

        func run(seconds: Double) throws {
            let end = nanoseconds() + UInt64(seconds * 1e9)
            while nanoseconds() < end { try self.turn() }
        }

        func run(atMost seconds: Double, until isDone: () -> Bool) throws {
            let end = nanoseconds() + UInt64(seconds * 1e9)
            while !isDone() {
                try self.turn()
                guard nanoseconds() < end else { throw LoadError("nothing came within \(seconds) s") }
            }
        }

        private func turn() throws {
            try self.epoll.wait(milliseconds: 20) { socket, ready in
                guard let tunnel = self.tunnels[socket] else { return }
                switch tunnel.phase {
                case .connecting:
                    try self.connected(tunnel)
                case .asking:
                    try self.readAnswer(tunnel)
                case .open:
                    if ready.contains(.read) { try self.workload.readable(tunnel, of: self) }
                    if ready.contains(.write) { try self.workload.writable(tunnel, of: self) }
                }
            }
        }

        private func connected(_ tunnel: Tunnel) throws {
            let code = LoopbackSocket.pendingError(tunnel.socket)
            guard code == 0 else {
                throw SystemCallError("connecting to port \(self.target.port)", code: code)
            }
            guard self.workload.needsTunnel, let request = self.target.openingRequest else {
                return try self.opened(tunnel)
            }
            guard
                request.withUnsafeBytes({ LoopbackSocket.write(tunnel.socket, $0) }) == .bytes(request.count)
            else { throw LoadError("the peer took no request") }
            tunnel.phase = .asking
            try self.epoll.change(tunnel.socket, .read)
        }

        private func readAnswer(_ tunnel: Tunnel) throws {
            switch LoopbackSocket.read(tunnel.socket, into: self.scratch) {
            case .bytes(let count): tunnel.head += self.scratch[..<count]
            case .wouldBlock: return
            case .ended: throw LoadError("the peer closed the connection instead of an answer")
            case .failed(let code): throw SystemCallError("reading the peer's answer", code: code)
            }
            guard tunnel.head.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return }
            // The origin says nothing unasked: all that came is the answer.
            let line = String(decoding: tunnel.head.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
            guard let status = line.split(separator: " ").dropFirst().first, self.target.isOpening(status)
            else { throw LoadError("the peer answered \(line)") }
            tunnel.head = []
            try self.opened(tunnel)
        }

        private func opened(_ tunnel: Tunnel) throws {
            let wasWaitingToWrite = if case .connecting = tunnel.phase { true } else { false }
            tunnel.phase = .open
            self.waiting -= 1
            if self.isFilling { return try self.epoll.change(tunnel.socket, []) }
            let interest = try self.workload.opened(tunnel, of: self)
            if wasWaitingToWrite ? interest != .write : interest != .read {
                try self.epoll.change(tunnel.socket, interest)
            }
        }
    }
#endif
