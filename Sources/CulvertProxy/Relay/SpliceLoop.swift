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

    /// One thread that waits for the sockets of many members.
    ///
    /// `@unchecked Sendable`: `shared` is guarded by its lock; every other variable is touched by the loop's thread
    /// only.
    final class SpliceLoop: @unchecked Sendable {
        private struct Shared {
            var table = SpliceTable()
            var orders: [(order: SpliceOrder, member: any SpliceMember)] = []
            var tasks: [@Sendable () -> Void] = []
            /// When the thread looks for members whose time is over, at the latest.
            var nextCheck: NIODeadline?
        }

        /// What the relays borrow while they move bytes.
        var resources: SpliceDirection.Resources
        /// The time of the present round.
        private(set) var now = NIODeadline.now()

        private let epoll: CInt
        private let alarm: CInt
        private let shared = Mutex(Shared())
        private let members = Atomic(0)
        private var unfinished: [(relay: SpliceRelay, side: RelaySide)] = []
        /// Latest first.
        private var delayed: [(until: NIODeadline, task: () -> Void)] = []

        private static let eventsPerRound = 256
        private static let alarmTag = UInt64.max

        /// Starts its thread, which never ends. Nil when there is no descriptor for it.
        ///
        /// - Parameter name: the thread's, at most 15 octets.
        init?(name: String, pipes: SplicePipePool = .init()) {
            self.resources = .init(pipes: pipes)
            self.epoll = epoll_create1(CInt(EPOLL_CLOEXEC))
            self.alarm = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
            var event = epoll_event(
                events: EPOLLIN.rawValue | EPOLLET.rawValue, data: .init(u64: Self.alarmTag))
            guard epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.alarm, &event) == 0 else {
                for descriptor in [self.epoll, self.alarm] where descriptor >= 0 {
                    SpliceSocket(descriptor: descriptor).close()
                }
                self.resources.scratch.deallocate()
                return nil
            }
            let thread = Thread {
                _ = culvert_name_thread(name)
                self.run()
            }
            thread.start()
        }

        // MARK: From any thread

        /// How many members it has.
        var load: Int { self.members.load(ordering: .relaxed) }

        /// From here on the relay belongs to the loop's thread.
        func add(_ relay: SpliceRelay) {
            self.members.wrappingAdd(1, ordering: .relaxed)
            let mustWake = self.shared.withLock { shared in
                relay.slot = shared.table.add(relay)
                // Under the lock: the thread must not end the relay between the one and the other.
                for side in [RelaySide.client, .origin] {
                    self.watch(relay.socket(side), relay.slot, side, relay.interest(in: side))
                }
                return Self.isEarlier(relay.deadline, &shared) || !shared.orders.isEmpty
            }
            if mustWake { self.wake() }
        }

        /// An order for a member that is not there yet waits for it.
        func post(_ order: SpliceOrder, to member: any SpliceMember) {
            self.shared.withLock { $0.orders.append((order, member)) }
            self.wake()
        }

        /// Runs on the loop's thread, soon.
        func run(_ task: @escaping @Sendable () -> Void) {
            self.shared.withLock { $0.tasks.append(task) }
            self.wake()
        }

        private func wake() {
            eventfd_write(self.alarm, 1)
        }

        private static func isEarlier(_ deadline: NIODeadline?, _ shared: inout Shared) -> Bool {
            guard let deadline, deadline < shared.nextCheck ?? .distantFuture else { return false }
            shared.nextCheck = deadline
            return true
        }

        // MARK: From its members, on its thread

        /// Takes charge of a member; its descriptors are still to be watched.
        func enter(_ member: any SpliceMember) {
            self.members.wrappingAdd(1, ordering: .relaxed)
            let hasOrders = self.shared.withLock { shared in
                member.slot = shared.table.add(member)
                _ = Self.isEarlier(member.deadline, &shared)
                return !shared.orders.isEmpty
            }
            if hasOrders { self.wake() }
        }

        /// Gives a member's slot, with the descriptors that are watched for it, to another.
        func replace(_ member: any SpliceMember, with other: any SpliceMember) {
            self.shared.withLock { shared in
                other.slot = member.slot
                shared.table.replace(member.slot, with: other)
                _ = Self.isEarlier(other.deadline, &shared)
            }
        }

        /// A member's deadline has changed.
        func expect(_ member: any SpliceMember) {
            self.shared.withLock { _ = Self.isEarlier(member.deadline, &$0) }
        }

        func remove(_ member: any SpliceMember) {
            self.members.wrappingSubtract(1, ordering: .relaxed)
            self.shared.withLock { $0.table.remove(member.slot) }
        }

        /// A socket that the system does not watch will never move: its member's deadline ends it.
        func watch(_ socket: SpliceSocket, _ slot: SpliceSlot, _ side: RelaySide, _ events: UInt32) {
            self.control(EPOLL_CTL_ADD, socket, slot, side, events)
        }

        func rewatch(_ socket: SpliceSocket, _ slot: SpliceSlot, _ side: RelaySide, _ events: UInt32) {
            self.control(EPOLL_CTL_MOD, socket, slot, side, events)
        }

        func unwatch(_ socket: SpliceSocket) {
            self.control(EPOLL_CTL_DEL, socket, .none, .client, 0)
        }

        private func control(
            _ operation: CInt, _ socket: SpliceSocket, _ slot: SpliceSlot, _ side: RelaySide, _ events: UInt32
        ) {
            var event = epoll_event(events: events, data: .init(u64: slot.tag(side)))
            _ = epoll_ctl(self.epoll, operation, socket.descriptor, &event)
        }

        func moveLater(_ relay: SpliceRelay, from side: RelaySide) {
            self.unfinished.append((relay, side))
        }

        func after(_ delay: TimeAmount, _ task: @escaping () -> Void) {
            let until = self.now + delay
            let index = self.delayed.firstIndex { $0.until <= until } ?? self.delayed.endIndex
            self.delayed.insert((until, task), at: index)
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
            var isCalled = false
            for event in events {
                if event.data.u64 == Self.alarmTag {
                    isCalled = true
                    continue
                }
                // One by one: an event before may have ended the member, or given its slot to another.
                let member = self.shared.withLock { $0.table[SpliceSlot(tag: event.data.u64)] }
                member?.ready(SpliceSlot.side(ofTag: event.data.u64), events: event.events)
            }
            if isCalled { self.performOrders() }
            self.finishTurns()
            self.runDelayed()
            self.endExpired()
        }

        private func performOrders() {
            let (orders, tasks) = self.shared.withLock { shared in
                let orders = shared.orders.filter { shared.table[$0.member.slot] === $0.member }
                // Its maker still has it, and wakes the thread when it comes; or it is over.
                shared.orders.removeAll { $0.member.isOver || shared.table[$0.member.slot] === $0.member }
                defer { shared.tasks = [] }
                return (orders, shared.tasks)
            }
            for (order, member) in orders where !member.isOver { member.obey(order) }
            for task in tasks { task() }
        }

        private func finishTurns() {
            let turns = self.unfinished
            self.unfinished.removeAll(keepingCapacity: true)
            for (relay, side) in turns { relay.move(from: side) }
        }

        private func runDelayed() {
            while let (until, task) = self.delayed.last, until <= self.now {
                self.delayed.removeLast()
                task()
            }
        }

        private func endExpired() {
            let over: [any SpliceMember] = self.shared.withLock { shared in
                guard let check = shared.nextCheck, check <= self.now else { return [] }
                let (over, next) = shared.table.expired(at: self.now)
                shared.nextCheck = next
                return over
            }
            for member in over { member.expired() }
        }

        private func timeout() -> CInt {
            guard self.unfinished.isEmpty else { return 0 }
            var next = self.shared.withLock(\.nextCheck)
            if let until = self.delayed.last?.until { next = min(next ?? until, until) }
            guard let next else { return -1 }
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
