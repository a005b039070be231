#if os(Linux)
    import CLinux
    import Logging
    import NIOCore

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// One loop's share of a listening socket.
    ///
    /// `@unchecked Sendable`: everything that changes is touched on the loop's thread only.
    final class FrontAcceptor: SpliceMember, @unchecked Sendable {
        var slot = SpliceSlot.none
        private(set) var isOver = false
        private let socket: SpliceSocket
        private let loop: SpliceLoop
        private let surroundings: FrontListener.Surroundings
        private var lastWarning: NIODeadline?

        /// Until there may be descriptors again.
        private static let pause = TimeAmount.milliseconds(100)
        /// A proxy at its limit stays there for a while, and says so once in this time.
        private static let warningInterval = TimeAmount.minutes(1)

        init(_ socket: SpliceSocket, on loop: SpliceLoop, in surroundings: FrontListener.Surroundings) {
            self.socket = socket
            self.loop = loop
            self.surroundings = surroundings
        }

        // MARK: From any thread

        func start() {
            self.loop.run {
                self.loop.enter(self)
                self.watch()
            }
        }

        /// - Parameter done: called on the loop's thread, once. Later calls do nothing.
        func stop(_ done: @escaping @Sendable () -> Void) {
            self.loop.run {
                guard !self.isOver else { return }
                self.isOver = true
                self.loop.unwatch(self.socket)
                self.loop.remove(self)
                self.acceptWaiting()
                self.socket.close()
                done()
            }
        }

        // MARK: On the thread of its loop

        let deadline: NIODeadline? = nil
        let patience = TimeAmount.zero

        func ready(_ side: RelaySide, events: UInt32) {
            // One for each event: who else waits is told of again, to this loop or to one that has less to do.
            switch self.socket.accept() {
            case .connection(let socket, let address, let port):
                self.begin(socket, ConnectedClient(address: address, port: port))
            case .aborted, .nobody: break
            case .exhausted: self.rest()
            }
        }

        func expired() {}
        func obey(_ order: SpliceOrder) {}

        /// For their clients those in the queue are connected already; closing the socket would reset them.
        private func acceptWaiting() {
            for _ in 0..<SpliceSocket.backlog {
                switch self.socket.accept() {
                case .connection(let socket, let address, let port):
                    self.begin(socket, ConnectedClient(address: address, port: port))
                case .aborted: continue
                case .nobody, .exhausted: return
                }
            }
        }

        private func begin(_ socket: SpliceSocket, _ client: ConnectedClient) {
            let loop = self.surroundings.engine.loops.relief(for: self.loop) ?? self.loop
            let connection = FrontConnection(socket, of: client, on: loop, in: self.surroundings)
            if loop === self.loop { connection.start() } else { loop.run { connection.start() } }
        }

        /// What waits would be told of again at once, and could not be accepted again.
        private func rest() {
            self.warn()
            self.loop.unwatch(self.socket)
            self.loop.after(Self.pause) { [self] in
                if !self.isOver { self.watch() }
            }
        }

        private func warn() {
            if let lastWarning, self.loop.now < lastWarning + Self.warningInterval { return }
            self.lastWarning = self.loop.now
            self.surroundings.core.logger.warning("no descriptor is left to accept a connection")
        }

        /// Not edge-triggered: what one loop leaves, another takes. Exclusive: not all of them wake for one connection.
        private func watch() {
            self.loop.watch(self.socket, self.slot, .client, EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue)
        }
    }
#endif
