#if os(Linux)
    import NIOCore

    /// The members of one loop, by their slots.
    struct SpliceTable {
        private struct Place {
            var member: (any SpliceMember)?
            var generation: UInt32 = 0
        }

        private var places: [Place] = []
        private var free: [UInt32] = []

        subscript(slot: SpliceSlot) -> (any SpliceMember)? {
            guard let place = self.place(slot), place.generation == slot.generation else { return nil }
            return place.member
        }

        private func place(_ slot: SpliceSlot) -> Place? {
            self.places.indices.contains(Int(slot.index)) ? self.places[Int(slot.index)] : nil
        }

        mutating func add(_ member: any SpliceMember) -> SpliceSlot {
            let index = self.free.popLast() ?? UInt32(self.places.count)
            if index == self.places.count { self.places.append(Place()) }
            self.places[Int(index)].member = member
            return SpliceSlot(index: index, generation: self.places[Int(index)].generation)
        }

        /// The slot's descriptors are the new member's from now on.
        mutating func replace(_ slot: SpliceSlot, with member: any SpliceMember) {
            guard self[slot] != nil else { return }
            self.places[Int(slot.index)].member = member
        }

        mutating func remove(_ slot: SpliceSlot) {
            guard self[slot] != nil else { return }
            self.places[Int(slot.index)].member = nil
            self.places[Int(slot.index)].generation &+= 1
            self.free.append(slot.index)
        }

        /// Those whose deadline has passed, and when to look again: nil when there are no others. Deadlines that lie
        /// close together are looked at together, at most a 64th of the member's patience late.
        func expired(at now: NIODeadline) -> (over: [any SpliceMember], next: NIODeadline?) {
            var over: [any SpliceMember] = []
            var next: NIODeadline?
            for case let member? in self.places.lazy.map(\.member) {
                guard let deadline = member.deadline else { continue }
                guard deadline > now else {
                    over.append(member)
                    continue
                }
                let check = max(deadline, now + .nanoseconds(member.patience.nanoseconds / 64))
                next = min(next ?? check, check)
            }
            return (over, next)
        }
    }
#endif
