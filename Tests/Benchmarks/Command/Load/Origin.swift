#if os(Linux)
    import Foundation
    import Synchronization

    /// What stands behind the proxy: a source, a sink, an echo and a small HTTP server on one port, on a thread of
    /// its own. The first byte of a connection says which.
    ///
    /// `@unchecked Sendable`: everything but the counter and the stop belongs to the thread once it runs.
    final class Origin: @unchecked Sendable {
        let port: UInt16

        private let listener: CInt
        private let epoll: Epoll
        private var connections: [CInt: OriginConnection] = [:]
        private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        private let sunk = Atomic<Int>(0)
        private let isStopped = Atomic<Bool>(false)
        private let hasEnded = DispatchSemaphore(value: 0)

        /// Bytes that all sinks together took.
        var sunkBytes: Int { self.sunk.load(ordering: .relaxed) }

        init(port: UInt16 = 0) throws {
            (self.listener, self.port) = try LoopbackSocket.listen(port: port)
            self.epoll = try Epoll()
            try self.epoll.add(self.listener, .read)
        }

        deinit {
            self.scratch.deallocate()
        }

        func start() {
            let thread = Thread { [self] in
                while !self.isStopped.load(ordering: .relaxed) { self.turn() }
                for socket in self.connections.keys { close(socket) }
                close(self.listener)
                self.hasEnded.signal()
            }
            thread.name = "origin"
            thread.start()
        }

        func stop() {
            self.isStopped.store(true, ordering: .relaxed)
            self.hasEnded.wait()
        }

        private func turn() {
            do {
                try self.epoll.wait(milliseconds: 50) { socket, _ in
                    if socket == self.listener { try self.accept() } else { self.serve(socket) }
                }
            } catch {
                // Out of descriptors, say: the tunnels that wait for us fail, and the client reports it.
                usleep(10_000)
            }
        }

        private func accept() throws {
            // A bounded turn: those that are connected are served too.
            for _ in 0..<64 {
                guard let socket = try LoopbackSocket.accept(self.listener) else { return }
                self.connections[socket] = OriginConnection(socket)
                try self.epoll.add(socket, .read)
            }
        }

        private func serve(_ socket: CInt) {
            guard let connection = self.connections[socket] else { return }
            let before = connection.interest
            let isOpen = connection.serve(scratch: self.scratch) { count in
                self.sunk.add(count, ordering: .relaxed)
            }
            guard isOpen else {
                self.connections[socket] = nil
                close(socket)
                return
            }
            if connection.interest != before { try? self.epoll.change(socket, connection.interest) }
        }
    }
#endif
