#if os(Linux)
    import NIOCore

    /// The relays of one loop, by their slots.
    struct SpliceTable {
        private struct Place {
            var relay: SpliceRelay?
            var generation: UInt32 = 0
        }

        private var places: [Place] = []
        private var free: [UInt32] = []

        subscript(slot: SpliceSlot) -> SpliceRelay? {
            guard let place = self.place(slot), place.generation == slot.generation else { return nil }
            return place.relay
        }

        private func place(_ slot: SpliceSlot) -> Place? {
            self.places.indices.contains(Int(slot.index)) ? self.places[Int(slot.index)] : nil
        }

        mutating func add(_ relay: SpliceRelay) -> SpliceSlot {
            let index = self.free.popLast() ?? UInt32(self.places.count)
            if index == self.places.count { self.places.append(Place()) }
            self.places[Int(index)].relay = relay
            return SpliceSlot(index: index, generation: self.places[Int(index)].generation)
        }

        mutating func remove(_ slot: SpliceSlot) {
            guard self[slot] != nil else { return }
            self.places[Int(slot.index)].relay = nil
            self.places[Int(slot.index)].generation &+= 1
            self.free.append(slot.index)
        }

        /// Those in which nothing moved for too long, and when to look again: nil when there are no others. Deadlines
        /// that lie close together are looked at together, at most a 64th of the timeout late.
        func idle(at now: NIODeadline) -> (over: [SpliceRelay], next: NIODeadline?) {
            var over: [SpliceRelay] = []
            var next: NIODeadline?
            for case let relay? in self.places.lazy.map(\.relay) {
                let deadline = relay.lastActivity + relay.idleTimeout
                guard deadline > now else {
                    over.append(relay)
                    continue
                }
                let check = max(deadline, now + .nanoseconds(relay.idleTimeout.nanoseconds / 64))
                next = min(next ?? check, check)
            }
            return (over, next)
        }
    }
#endif
