#if os(Linux)
    /// The place of a relay in its loop, as the kernel keeps it with each descriptor. A late event for a place that
    /// has a new tenant finds a newer generation there, and nobody.
    struct SpliceSlot {
        let index: UInt32
        let generation: UInt32

        static let none = SpliceSlot(index: .max >> 1, generation: .max)

        init(index: UInt32, generation: UInt32) {
            self.index = index
            self.generation = generation
        }

        init(tag: UInt64) {
            self.index = UInt32(truncatingIfNeeded: tag) >> 1
            self.generation = UInt32(truncatingIfNeeded: tag >> 32)
        }

        static func side(ofTag tag: UInt64) -> RelaySide { tag & 1 == 0 ? .client : .origin }

        func tag(_ side: RelaySide) -> UInt64 {
            UInt64(self.generation) << 32 | UInt64(self.index) << 1 | (side == .client ? 0 : 1)
        }
    }
#endif
