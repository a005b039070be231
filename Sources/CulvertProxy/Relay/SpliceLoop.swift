#if os(Linux)
    import CLinux
    import Foundation
    import NIOCore
    import Synchronization

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// One thread that waits for the sockets of many relays.
    ///
    /// `@unchecked Sendable`: `shared` is guarded by its lock; every other variable is touched by the loop's thread
    /// only.
    final class SpliceLoop: @unchecked Sendable {
        enum Message {
            case end(SpliceRelay, reason: String)
            case closeNow(SpliceRelay, reason: String)

            var relay: SpliceRelay {
                switch self {
                case .end(let relay, _), .closeNow(let relay, _): relay
                }
            }
        }

        private struct Shared {
            var table = SpliceTable()
            var messages: [Message] = []
            /// When the thread looks for idle relays, at the latest.
            var idleCheck: NIODeadline?
        }

        /// What the relays borrow while they move bytes.
        var resources: SpliceDirection.Resources
        /// The time of the present round.
        private(set) var now = NIODeadline.now()

        private let epoll: CInt
        private let alarm: CInt
        private let shared = Mutex(Shared())
        private var unfinished: [(relay: SpliceRelay, side: RelaySide)] = []
        /// Latest first.
        private var paused: [(until: NIODeadline, relay: SpliceRelay, side: RelaySide)] = []

        private static let eventsPerRound = 256
        private static let alarmTag = UInt64.max

        /// Starts its thread, which never ends. Nil when there is no descriptor for it.
        init?(name: String, pipes: SplicePipePool = .init()) {
            self.resources = .init(pipes: pipes)
            self.epoll = epoll_create1(CInt(EPOLL_CLOEXEC))
            self.alarm = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
            var event = epoll_event(
                events: EPOLLIN.rawValue | EPOLLET.rawValue, data: .init(u64: Self.alarmTag))
            guard epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.alarm, &event) == 0 else { return nil }
            let thread = Thread { self.run() }
            thread.name = name
            thread.start()
        }

        // MARK: From any thread

        /// From here on the relay belongs to the loop's thread.
        func add(_ relay: SpliceRelay) {
            let deadline = relay.lastActivity + relay.idleTimeout
            let mustWake = self.shared.withLock { shared in
                relay.slot = shared.table.add(relay)
                // Under the lock: the thread must not end the relay between the one and the other.
                for side in [RelaySide.client, .origin] { self.control(EPOLL_CTL_ADD, relay, side) }
                let isEarlier = deadline < shared.idleCheck ?? .distantFuture
                if isEarlier { shared.idleCheck = deadline }
                return isEarlier || !shared.messages.isEmpty
            }
            if mustWake { self.wake() }
        }

        func post(_ message: Message) {
            self.shared.withLock { $0.messages.append(message) }
            self.wake()
        }

        private func wake() {
            eventfd_write(self.alarm, 1)
        }

        // MARK: From its relays, on its thread

        func remove(_ relay: SpliceRelay) {
            self.shared.withLock { $0.table.remove(relay.slot) }
        }

        func watch(_ relay: SpliceRelay, _ side: RelaySide) {
            self.control(EPOLL_CTL_MOD, relay, side)
        }

        func moveLater(_ relay: SpliceRelay, from side: RelaySide) {
            self.unfinished.append((relay, side))
        }

        func resume(_ relay: SpliceRelay, from side: RelaySide, in delay: TimeAmount) {
            let until = self.now + delay
            let index = self.paused.firstIndex { $0.until <= until } ?? self.paused.endIndex
            self.paused.insert((until, relay, side), at: index)
        }

        /// A socket that the system does not watch will never move: the idle clock ends its tunnel.
        private func control(_ operation: CInt, _ relay: SpliceRelay, _ side: RelaySide) {
            var event = epoll_event(events: relay.interest(in: side), data: .init(u64: relay.slot.tag(side)))
            _ = epoll_ctl(self.epoll, operation, relay.socket(side).descriptor, &event)
        }

        // MARK: The thread

        private func run() {
            Self.blockBrokenPipeSignals()
            var events = [epoll_event](repeating: epoll_event(), count: Self.eventsPerRound)
            while true {
                let count = epoll_wait(self.epoll, &events, CInt(events.count), self.timeout())
                self.now = .now()
                self.round(events[..<max(0, Int(count))])
            }
        }

        private func round(_ events: ArraySlice<epoll_event>) {
            let (ready, messages) = self.shared.withLock { shared in
                let ready = events.map { ($0, shared.table[SpliceSlot(tag: $0.data.u64)]) }
                let messages = shared.messages.filter { shared.table[$0.relay.slot] === $0.relay }
                // Its maker still has it, and wakes the thread when it comes; or it is over.
                shared.messages.removeAll { $0.relay.isOver || shared.table[$0.relay.slot] === $0.relay }
                return (ready, messages)
            }
            for (event, relay) in ready {
                relay?.ready(SpliceSlot.side(ofTag: event.data.u64), events: event.events)
            }
            for message in messages { self.perform(message) }
            self.finishTurns()
            self.resumePaused()
            self.endIdle()
        }

        private func perform(_ message: Message) {
            switch message {
            case .end(let relay, let reason): relay.end(reason: reason)
            case .closeNow(let relay, let reason): relay.closeNow(reason: reason)
            }
        }

        private func finishTurns() {
            let turns = self.unfinished
            self.unfinished.removeAll(keepingCapacity: true)
            for (relay, side) in turns { relay.move(from: side) }
        }

        private func resumePaused() {
            while let (until, relay, side) = self.paused.last, until <= self.now {
                self.paused.removeLast()
                relay.resume(from: side)
            }
        }

        private func endIdle() {
            let over: [SpliceRelay] = self.shared.withLock { shared in
                guard let check = shared.idleCheck, check <= self.now else { return [] }
                let (over, next) = shared.table.idle(at: self.now)
                shared.idleCheck = next
                return over
            }
            for relay in over { relay.closeNow(reason: "idle") }
        }

        private func timeout() -> CInt {
            guard self.unfinished.isEmpty else { return 0 }
            let check = self.shared.withLock(\.idleCheck)
            guard let next = [check, self.paused.last?.until].compactMap({ $0 }).min() else { return -1 }
            let milliseconds = ((next - self.now).nanoseconds + 999_999) / 1_000_000
            return CInt(clamping: max(0, milliseconds))
        }

        /// To splice into a socket whose peer is gone raises the signal, and no flag of the call prevents it.
        private static func blockBrokenPipeSignals() {
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
        }
    }
#endif
