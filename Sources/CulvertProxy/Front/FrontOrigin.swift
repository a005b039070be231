#if os(Linux)
    import CLinux
    import HTTPWire
    import NIOCore

    /// One connection to an origin that carries forwarded requests of clients on the same thread, one after the other.
    ///
    /// `@unchecked Sendable`: touched on its loop's thread only; other threads leave messages with the loop.
    final class FrontOrigin: SpliceMember, RegisteredRelay, PooledConnection, @unchecked Sendable {
        var slot = SpliceSlot.none
        private(set) var deadline: NIODeadline?
        private(set) var patience = TimeAmount.zero
        private(set) var isOver = false

        let key: OriginKey
        let address: IPAddress?
        let port: UInt16
        /// Both, for the log.
        let addressText: String
        /// Who waits for what it says; nil while it waits in the pool.
        private var user: FrontConnection?
        private(set) var isConnected = false
        private(set) var isReused = false
        /// epoll tells of bytes once only: there may be some that nobody has taken.
        private(set) var mayHaveBytes = false
        private var sawFIN = false

        private let socket: SpliceSocket
        private let loop: SpliceLoop
        private let pool: OriginPool<FrontOrigin>
        private let registry: ConnectionRegistry

        /// Begins to connect.
        ///
        /// - Throws: the system's error.
        init(
            to address: IPAddress, port: UInt16, key: OriginKey, for user: FrontConnection,
            on loop: SpliceLoop,
            pool: OriginPool<FrontOrigin>, registry: ConnectionRegistry
        ) throws(IOError) {
            self.socket = try .connecting(to: address, port: port)
            self.key = key
            self.address = address
            self.port = port
            self.addressText = address.description(port: Int(port))
            self.user = user
            self.loop = loop
            self.pool = pool
            self.registry = registry
            registry.add(self)
            loop.enter(self)
            loop.watch(
                self.socket, self.slot, .origin,
                EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue)
        }

        var isUsable: Bool { !self.isOver && self.isConnected && !self.sawFIN && !self.mayHaveBytes }

        /// For one exchange.
        func use(by user: FrontConnection) {
            self.user = user
            self.deadline = nil
        }

        /// The exchange is over, and its last byte came.
        func release() {
            self.user = nil
            self.isReused = true
        }

        func waitInPool(_ time: TimeAmount) {
            self.patience = min(time, Self.longestPatience)
            self.deadline = self.loop.now + self.patience
            self.loop.expect(self)
        }

        /// Nobody hears of it any more.
        func close() {
            guard !self.isOver else { return }
            self.isOver = true
            self.user = nil
            self.loop.remove(self)
            self.socket.close()
            self.pool.remove(self)
            self.registry.remove(self)
        }

        func send(_ bytes: UnsafeRawBufferPointer) -> SpliceSocket.Transfer { self.socket.send(bytes) }

        func receive(into scratch: UnsafeMutableRawBufferPointer) -> SpliceSocket.Transfer {
            let transfer = self.socket.receive(into: scratch)
            switch transfer {
            // A stream that gives less than it was asked for has no more, and will tell when it has; but an end that
            // was announced is still to be read.
            case .moved(let count): self.mayHaveBytes = count == scratch.count || (count > 0 && self.sawFIN)
            case .wouldBlock, .failed: self.mayHaveBytes = false
            }
            return transfer
        }

        // MARK: From any thread

        func hear(_ event: DrainEvent) { self.hear(event, self.loop) }
        func closeNow() { self.closeNow(self.loop) }

        // MARK: Events

        func ready(_ side: RelaySide, events: UInt32) {
            guard !self.isOver else { return }
            if events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue) != 0 { self.sawFIN = true }
            if events & ~EPOLLOUT.rawValue != 0 { self.mayHaveBytes = true }
            guard let user else {
                // Nobody asked for anything: whatever it is, it must not be taken for the next answer.
                if self.mayHaveBytes { self.close() }
                return
            }
            guard !self.isConnected else { return user.originIsReady(self) }
            let code = events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 ? self.socket.pendingError() : 0
            if code != 0 {
                user.originFailed(self, IOError(errnoCode: code, reason: "connect"))
            } else if events & EPOLLOUT.rawValue != 0 {
                self.isConnected = true
                user.originConnected(self)
                user.originIsReady(self)
            }
        }

        /// It waited in the pool long enough.
        func expired() { self.close() }

        /// Its user hears of it too, and ends the exchange.
        func obey(_ order: SpliceOrder) {
            if self.user == nil { self.close() }
        }
    }
#endif
