#if os(Linux)
    import HTTPWire
    import NIOCore

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// One direction of a spliced tunnel: what was taken from its source and not yet by its target.
    struct SpliceDirection {
        /// What reading from the source costs besides time: the buffer and the pipes of a loop.
        struct Resources {
            /// 64 KiB: more than a round trip of what is not bulk, and it stays in the second-level cache.
            let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 64)
            var pipes: SplicePipePool
            /// Goes for good when the system refuses to splice.
            var canSplice = true
        }

        /// Where a pass over the direction ended.
        enum Result {
            /// The source has no more for now.
            case drained
            /// The target takes no more for now.
            case blocked
            /// The source may have more, and the others' turn has come.
            case unfinished
            /// The limit says to wait.
            case paused(TimeAmount)
            /// The source has ended, and the target knows.
            case ended
            case sourceFailed(CInt)
            case targetFailed(CInt)
        }

        /// Bytes in memory that the target has not taken.
        var held = ByteBuffer()
        /// Bytes that came from the source since they were last counted.
        var uncounted = 0
        /// A FIN was announced: a short read is not the last.
        var sawFIN = false
        /// The source's FIN was read, or nothing more is to be read from it.
        var hasEnded = false
        /// The target has everything and its FIN.
        private(set) var isDone = false
        /// The limit says not to read for now.
        var isPaused = false
        /// Bytes moved since this was last looked at.
        var hasMoved = false
        private(set) var pipe: SplicePipe?
        private var isBulk = false

        /// As much as one direction may move before the others' turn, in bytes: about a millisecond on loopback.
        private static let turn = 1 << 21
        /// A pass that moves less than this is no bulk any more: for it, two small calls are cheaper than a pipe.
        private static let leastBulk = 16 * 1024

        /// What `splice` says when it is not to be had here, or not for this kind of descriptor.
        private static let refusals: Set<CInt> = [EINVAL, ENOSYS, EPERM]

        /// Moves what can be moved.
        ///
        /// - Parameters:
        ///   - limit: without one, bulk goes through a pipe.
        ///   - isLast: the other direction is done: the close that follows tells the target of its end.
        mutating func pass(
            from source: SpliceSocket, to target: SpliceSocket, side: RelaySide, limit: (any TrafficLimit)?,
            isLast: Bool, _ resources: inout Resources
        ) -> Result {
            let result = self.move(
                from: source, to: target, side: side, limit: limit, isLast: isLast, &resources)
            if let pipe, pipe.count == 0 { self.releasePipe(&resources) }
            return result
        }

        /// Gives the pipe back, with what may still be in it.
        mutating func releasePipe(_ resources: inout Resources) {
            guard let pipe else { return }
            resources.pipes.give(pipe)
            self.pipe = nil
        }

        /// Offers the target what is held, from outside a loop.
        mutating func sendHeld(to target: SpliceSocket) {
            // To send nothing would still take a reset's error off the socket, and the reset would look like a FIN.
            guard self.held.readableBytes > 0,
                case .moved(let count) = self.held.withUnsafeReadableBytes({ target.send($0) })
            else { return }
            self.advance(by: count)
        }

        /// An empty buffer's storage is given back: many tunnels are idle from their first byte on.
        private mutating func advance(by count: Int) {
            self.held.moveReaderIndex(forwardBy: count)
            if self.held.readableBytes == 0 { self.held = ByteBuffer() }
        }

        mutating func hold(_ bytes: ByteBuffer, isCounted: Bool) {
            // An empty slice would keep what it was cut from.
            guard bytes.readableBytes > 0 else { return }
            if isCounted { self.uncounted += bytes.readableBytes }
            self.held.append(bytes)
        }

        private mutating func move(
            from source: SpliceSocket, to target: SpliceSocket, side: RelaySide, limit: (any TrafficLimit)?,
            isLast: Bool, _ resources: inout Resources
        ) -> Result {
            var moved = 0
            while !self.isDone {
                if let obstacle = self.flush(to: target) { return obstacle }
                if self.hasEnded { return self.end(target, isLast: isLast) }
                guard !self.isPaused, moved < Self.turn else { return self.isPaused ? .drained : .unfinished }

                let usesPipe = self.isBulk && limit == nil && self.hasPipe(&resources)
                let transfer =
                    usesPipe ? self.fillPipe(from: source) : self.copy(from: source, to: target, resources)
                switch transfer {
                case .moved(0):
                    self.hasEnded = true
                case .moved(let count):
                    moved += count
                    self.hasMoved = true
                    self.uncounted += count
                    if let delay = limit?.spend(count, from: side), delay > .zero {
                        return self.pause(for: delay)
                    }
                    guard !usesPipe else { continue }
                    self.isBulk = count == resources.scratch.count
                    // A stream that gives less than it was asked for has no more, and will tell when it has.
                    if !self.isBulk, !self.sawFIN, self.held.readableBytes == 0 { return .drained }
                case .wouldBlock:
                    if moved < Self.leastBulk { self.isBulk = false }
                    return .drained
                case .failed(let code) where usesPipe && Self.refusals.contains(code):
                    // Nothing was taken from the source.
                    resources.canSplice = false
                case .failed(let code):
                    return .sourceFailed(code)
                }
            }
            return .ended
        }

        private mutating func hasPipe(_ resources: inout Resources) -> Bool {
            guard resources.canSplice else { return false }
            if self.pipe == nil { self.pipe = resources.pipes.take() }
            return self.pipe != nil
        }

        private mutating func fillPipe(from source: SpliceSocket) -> SpliceSocket.Transfer {
            guard let pipe else { return .wouldBlock }
            let transfer = source.splice(into: pipe)
            if case .moved(let count) = transfer { self.pipe?.count += count }
            return transfer
        }

        private mutating func copy(
            from source: SpliceSocket, to target: SpliceSocket, _ resources: Resources
        ) -> SpliceSocket.Transfer {
            let transfer = source.receive(into: resources.scratch)
            guard case .moved(let count) = transfer, count > 0 else { return transfer }
            let bytes = UnsafeRawBufferPointer(rebasing: resources.scratch[..<count])
            var sent = 0
            // What fails here fails again when the rest is flushed.
            if case .moved(let taken) = target.send(bytes) { sent = taken }
            if sent < count { self.held.writeBytes(bytes[sent...]) }
            return transfer
        }

        /// Nil when the target has taken all.
        private mutating func flush(to target: SpliceSocket) -> Result? {
            while self.held.readableBytes > 0 {
                switch self.held.withUnsafeReadableBytes({ target.send($0) }) {
                case .moved(let count):
                    self.hasMoved = true
                    self.advance(by: count)
                case .wouldBlock: return .blocked
                case .failed(let code): return .targetFailed(code)
                }
            }
            while let pipe, pipe.count > 0 {
                switch target.splice(from: pipe) {
                case .moved(let count):
                    self.hasMoved = true
                    self.pipe?.count -= count
                case .wouldBlock: return .blocked
                case .failed(let code): return .targetFailed(code)
                }
            }
            return nil
        }

        private mutating func pause(for delay: TimeAmount) -> Result {
            self.isPaused = true
            return .paused(delay)
        }

        private mutating func end(_ target: SpliceSocket, isLast: Bool) -> Result {
            if !isLast { target.sendFIN() }
            self.isDone = true
            return .ended
        }
    }
#endif
