#if os(Linux)
    import NIOCore

    /// What a ``SpliceLoop`` has in its charge, under one slot: descriptors that it watches, and a deadline. Touched on
    /// the loop's thread only, once it is there.
    protocol SpliceMember: AnyObject, Sendable {
        var slot: SpliceSlot { get set }
        /// Its descriptors are closed, or belong to somebody else.
        var isOver: Bool { get }
        /// When it wants to be told that its time is over; nil is never.
        var deadline: NIODeadline? { get }
        /// It hears of its deadline at most a 64th of this late.
        var patience: TimeAmount { get }

        /// - Parameters:
        ///   - side: whose descriptor it is.
        ///   - events: epoll's.
        func ready(_ side: RelaySide, events: UInt32)
        func expired()
        func obey(_ order: SpliceOrder)
    }

    extension SpliceMember {
        /// A year stands for "never"; sums with it cannot overflow.
        static var longestPatience: TimeAmount { .hours(24 * 365) }

        func closeNow(_ loop: SpliceLoop) { loop.post(.closeNow, to: self) }

        func hear(_ event: DrainEvent, _ loop: SpliceLoop) {
            switch event {
            case .begin: loop.post(.drainBegan, to: self)
            case .deadline: loop.post(.drainEnded, to: self)
            }
        }
    }

    /// What other threads ask of a member.
    enum SpliceOrder {
        /// The server stops: whoever waits for a request closes.
        case drainBegan
        /// The time for what was under way is over.
        case drainEnded
        case closeNow
    }
#endif
