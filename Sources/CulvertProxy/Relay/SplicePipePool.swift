#if os(Linux)
    /// The pipes of one ``SpliceLoop``: a tunnel has one per direction, and only while bulk flows through it.
    struct SplicePipePool {
        private(set) var spare: [SplicePipe] = []
        private var lent = 0
        private let limit: Int
        private let maxSpare: Int

        /// - Parameters:
        ///   - limit: how many may be lent at once. Each is two descriptors, and 256 KiB of the kernel's memory while a
        ///     slow reader lets it stand full.
        ///   - maxSpare: how many wait for the next user; the others are closed.
        init(limit: Int = 128, maxSpare: Int = 8) {
            self.limit = limit
            self.maxSpare = maxSpare
        }

        /// An empty pipe, or nil when enough of them are lent or the system has none: then the bytes are copied.
        mutating func take() -> SplicePipe? {
            guard self.lent < self.limit, let pipe = self.spare.popLast() ?? SplicePipe() else { return nil }
            self.lent += 1
            return pipe
        }

        mutating func give(_ pipe: SplicePipe) {
            self.lent -= 1
            // What a tunnel left in its pipe at its end is nobody else's.
            if pipe.count == 0, self.spare.count < self.maxSpare {
                self.spare.append(pipe)
            } else {
                pipe.close()
            }
        }
    }
#endif
