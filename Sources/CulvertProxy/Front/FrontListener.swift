#if os(Linux)
    import HTTPWire
    import NIOCore
    import Synchronization

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// A listening socket whose connections begin on the threads of the splice engine: a plain CONNECT to an address
    /// never meets SwiftNIO, and everything else is handed over to it with the bytes that were read.
    ///
    /// One socket, which all threads wait for: with one each (SO_REUSEPORT), a second process could listen beside
    /// this one, and a busy thread's clients would wait for it.
    final class FrontListener: ListeningSocket {
        /// What its connections need besides themselves.
        struct Surroundings: Sendable {
            let core: ProxyCore
            let engine: SpliceEngine
            /// Where connections live that are handed over.
            let group: any EventLoopGroup
            let pools: FrontPools
        }

        let address: ListenAddress?
        private let acceptors: [FrontAcceptor]
        private let open: Mutex<Int>
        private let closed: EventLoopPromise<Void>

        /// - Throws: the system's error.
        init(_ address: IPAddress, port: UInt16, in surroundings: Surroundings) throws(IOError) {
            let socket = try SpliceSocket.listening(on: address, port: port)
            self.address = ListenAddress(address: address, port: Int(socket.localAddress?.port ?? port))
            // A descriptor for each loop: closing it is the loop's business, when it does not use it.
            self.acceptors = surroundings.engine.loops.all.compactMap { loop in
                socket.duplicate().map { FrontAcceptor($0, on: loop, in: surroundings) }
            }
            socket.close()
            self.open = Mutex(self.acceptors.count)
            self.closed = surroundings.group.next().makePromise()
            guard self.acceptors.count == surroundings.engine.loops.all.count else {
                self.stop()
                if self.acceptors.isEmpty { self.closed.succeed() }
                throw IOError(errnoCode: EMFILE, reason: "dup")
            }
            for acceptor in self.acceptors { acceptor.start() }
        }

        func stop() {
            for acceptor in self.acceptors {
                acceptor.stop {
                    let isLast = self.open.withLock { open in
                        open -= 1
                        return open == 0
                    }
                    if isLast { self.closed.succeed() }
                }
            }
        }

        func waitUntilClosed() async {
            try? await self.closed.futureResult.get()
        }
    }
#endif
