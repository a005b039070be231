#if os(Linux)
    import CLinux
    import NIOCore

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// Moves one tunnel's bytes between two sockets that belong to nobody else. See ``RelayEngine`` for what it
    /// keeps to.
    ///
    /// `@unchecked Sendable`: until ``SpliceLoop/add(_:)`` it is touched by its maker only, from then on by the
    /// thread of its loop only; other threads leave messages with the loop.
    final class SpliceRelay: SpliceMember, RegisteredRelay, @unchecked Sendable {
        let client: SpliceSocket
        let origin: SpliceSocket
        let idleTimeout: TimeAmount
        private(set) var lastActivity = NIODeadline.now()
        /// Where its loop has it.
        var slot = SpliceSlot.none

        private let limit: (any TrafficLimit)?
        private let record: TunnelRecord
        private let loop: SpliceLoop
        private let registry: ConnectionRegistry
        private var up = SpliceDirection()
        private var down = SpliceDirection()
        private var outcome = RelayOutcome()
        private(set) var isOver = false
        private var clientRoom = Room()
        private var originRoom = Room()

        /// Whether a side takes bytes.
        private struct Room {
            /// A write has found it full: the loop is to tell when it takes bytes again.
            var isAwaited = false
            /// Its loop watches for room. That is not undone: without a full socket it costs nothing.
            var isWatched = false
        }

        init(
            client: SpliceSocket, origin: SpliceSocket, idleTimeout: TimeAmount, limit: (any TrafficLimit)?,
            loop: SpliceLoop, registry: ConnectionRegistry, record: TunnelRecord
        ) {
            self.client = client
            self.origin = origin
            self.idleTimeout = min(idleTimeout, Self.longestPatience)
            self.limit = limit
            self.loop = loop
            self.registry = registry
            self.record = record
        }

        /// Offers each side what is owed to it before anything else.
        ///
        /// - Parameters:
        ///   - response: the proxy's own words to the client.
        ///   - early: what the client sent before the tunnel stood.
        ///   - banner: what the origin sent before the tunnel stood.
        func begin(response: ByteBuffer, early: ByteBuffer, banner: ByteBuffer) {
            self.down.hold(response, isCounted: false)
            self.down.hold(banner, isCounted: true)
            self.up.hold(early, isCounted: true)
            self.down.sendHeld(to: self.client)
            self.up.sendHeld(to: self.origin)
            for side in [RelaySide.client, .origin] {
                self.withDirection(from: side) { self.count(&$0, from: side) }
                let isFull = self.withDirection(from: side.other) { $0.held.readableBytes > 0 }
                if isFull { self[room: side] = Room(isAwaited: true, isWatched: true) }
            }
        }

        /// Goes over to its loop.
        func start() {
            self.registry.add(self)
            self.loop.add(self)
        }

        /// Takes the place of a member of its loop, whose descriptors are watched already, the origin's for room too.
        func start(inPlaceOf member: any SpliceMember) {
            self.registry.add(self)
            self.loop.replace(member, with: self)
            self.originRoom.isWatched = true
            if self.clientRoom.isAwaited { self.watchForRoom(.client) }
        }

        // MARK: From any thread

        func hear(_ event: DrainEvent) { self.hear(event, self.loop) }

        func closeNow() { self.closeNow(self.loop) }

        // MARK: On the thread of its loop

        /// The events its loop is to watch for on a side. Readiness for writing is none of them until a write has
        /// found the socket full: a new socket would report it at once.
        func interest(in side: RelaySide) -> UInt32 {
            let reading = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
            return self[room: side].isWatched ? reading | EPOLLOUT.rawValue : reading
        }

        var deadline: NIODeadline? { self.lastActivity + self.idleTimeout }
        var patience: TimeAmount { self.idleTimeout }

        // MARK: What happens

        func ready(_ side: RelaySide, events: UInt32) {
            guard !self.isOver else { return }
            if events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue) != 0 {
                self.withDirection(from: side) { $0.sawFIN = true }
            }
            if events & EPOLLOUT.rawValue != 0, self[room: side].isAwaited {
                self[room: side].isAwaited = false
                self.move(from: side.other)
            }
            if events & ~EPOLLOUT.rawValue != 0 { self.move(from: side) }
            if events & EPOLLERR.rawValue != 0, !self.isOver {
                let code = self.socket(side).pendingError()
                if code != 0 { self.failed(side, code) }
            }
        }

        /// Moves what can be moved in one direction.
        func move(from side: RelaySide) {
            guard !self.isOver else { return }
            let isLast = self.isLast(side)
            let result = self.withDirection(from: side) { direction in
                let result = direction.pass(
                    from: self.socket(side), to: self.socket(side.other), side: side, limit: self.limit,
                    isLast: isLast, &self.loop.resources)
                self.count(&direction, from: side)
                if direction.hasMoved {
                    direction.hasMoved = false
                    self.lastActivity = self.loop.now
                }
                if direction.hasEnded { self.outcome.ended(by: side.closer, reason: "closed") }
                return result
            }
            switch result {
            case .drained: break
            case .blocked: self.await(side.other)
            case .unfinished: self.loop.moveLater(self, from: side)
            case .paused(let delay): self.loop.after(delay) { self.resume(from: side) }
            case .ended: if self.up.isDone, self.down.isDone { self.finish { $0.close() } }
            case .sourceFailed(let code): self.failed(side, code)
            case .targetFailed(let code): self.failed(side.other, code)
            }
        }

        /// The target of this direction has ended its own, and nothing of it is unread: a close is a FIN for it.
        private func isLast(_ side: RelaySide) -> Bool {
            self.withDirection(from: side.other) { $0.isDone } && self.outcome.closedBy != .proxy
        }

        /// The limit's time is over.
        private func resume(from side: RelaySide) {
            self.withDirection(from: side) { $0.isPaused = false }
            self.move(from: side)
        }

        func expired() { self.closeNow(reason: "idle") }

        func obey(_ order: SpliceOrder) {
            switch order {
            case .drainBegan: break
            case .drainEnded: self.end(reason: "the proxy is stopping")
            case .closeNow: self.closeNow(reason: "the proxy is stopping")
            }
        }

        /// Ends the tunnel from here, after what is already on its way.
        private func end(reason: String) {
            guard !self.isOver else { return }
            self.outcome.ended(by: .proxy, reason: reason)
            self.up.hasEnded = true
            self.down.hasEnded = true
            self.move(from: .client)
            self.move(from: .origin)
        }

        /// Ends the tunnel at once.
        private func closeNow(reason: String) {
            guard !self.isOver else { return }
            self.outcome.ended(by: .proxy, reason: reason)
            self.finish { $0.close() }
        }

        // MARK: Ends

        private func failed(_ side: RelaySide, _ code: CInt) {
            let isReset = code == ECONNRESET || code == EPIPE
            self.outcome.ended(
                by: side.closer, reason: isReset ? "reset" : String(cString: strerror(code)))
            self.finish { $0.reset() }
        }

        private func finish(_ close: (SpliceSocket) -> Void) {
            self.isOver = true
            self.loop.remove(self)
            self.up.releasePipe(&self.loop.resources)
            self.down.releasePipe(&self.loop.resources)
            close(self.client)
            close(self.origin)
            self.record.end(self.outcome)
            // Whoever waits for the last tunnel waits for its log entry too.
            self.registry.remove(self)
        }

        private func count(_ direction: inout SpliceDirection, from side: RelaySide) {
            self.record.count(direction.uncounted, from: side)
            direction.uncounted = 0
        }

        private func await(_ side: RelaySide) {
            self[room: side].isAwaited = true
            if !self[room: side].isWatched { self.watchForRoom(side) }
        }

        private func watchForRoom(_ side: RelaySide) {
            self[room: side].isWatched = true
            self.loop.rewatch(self.socket(side), self.slot, side, self.interest(in: side))
        }

        func socket(_ side: RelaySide) -> SpliceSocket { side == .client ? self.client : self.origin }

        private subscript(room side: RelaySide) -> Room {
            get { side == .client ? self.clientRoom : self.originRoom }
            set { if side == .client { self.clientRoom = newValue } else { self.originRoom = newValue } }
        }

        /// No subscript: an accessor that yields one of the two would allocate memory for each call.
        @inline(__always)
        private func withDirection<Result>(
            from side: RelaySide, _ body: (inout SpliceDirection) -> Result
        ) -> Result {
            side == .client ? body(&self.up) : body(&self.down)
        }
    }
#endif
