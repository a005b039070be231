#if os(Linux)
    import CBenchmarks
    import Glibc

    /// Linux's readiness of many sockets, level-triggered. Used by one thread.
    final class Epoll {
        struct Interest: OptionSet {
            let rawValue: UInt32

            static let read = Interest(rawValue: EPOLLIN.rawValue)
            static let write = Interest(rawValue: EPOLLOUT.rawValue)
        }

        private let descriptor: CInt
        private let events: UnsafeMutablePointer<epoll_event>

        /// As many as one wait reports.
        private static let batch = 256

        init() throws {
            self.descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
            guard self.descriptor >= 0 else { throw SystemCallError("epoll_create1") }
            self.events = .allocate(capacity: Self.batch)
            self.events.initialize(repeating: epoll_event(), count: Self.batch)
        }

        deinit {
            close(self.descriptor)
            self.events.deallocate()
        }

        func add(_ socket: CInt, _ interest: Interest) throws {
            try self.control(EPOLL_CTL_ADD, socket, interest)
        }

        func change(_ socket: CInt, _ interest: Interest) throws {
            try self.control(EPOLL_CTL_MOD, socket, interest)
        }

        private func control(_ operation: CInt, _ socket: CInt, _ interest: Interest) throws {
            var event = epoll_event()
            event.events = interest.rawValue
            event.data.fd = socket
            guard epoll_ctl(self.descriptor, operation, socket, &event) == 0 else {
                throw SystemCallError("epoll_ctl")
            }
        }

        /// Waits at most so long, in milliseconds; then `body` hears of each socket that is ready, or broken.
        func wait(milliseconds: CInt, _ body: (CInt, Interest) throws -> Void) throws {
            let count = epoll_wait(self.descriptor, self.events, CInt(Self.batch), milliseconds)
            guard count >= 0 else {
                if errno == EINTR { return }
                throw SystemCallError("epoll_wait")
            }
            for index in 0..<Int(count) {
                let event = self.events[index]
                var interest = Interest(rawValue: event.events)
                // The call that follows says what is wrong.
                let broken = EPOLLERR.rawValue | EPOLLHUP.rawValue
                if event.events & broken != 0 { interest.formUnion([.read, .write]) }
                try body(event.data.fd, interest)
            }
        }
    }
#endif
