#if os(Linux)
    /// The pipes of one ``SpliceLoop``: a tunnel has one per direction, and only while bulk flows through it.
    struct SplicePipePool {
        private(set) var spare: [SplicePipe] = []
        private var lent = 0
        private let limit: Int
        private let maxLarge: Int
        private let maxSpare: Int

        /// By default they hold at most 32 MiB of the kernel's memory: two threads' are as much as Linux lets a user
        /// without privileges have in pipes of a size that was asked for (`fs.pipe-user-pages-soft`).
        ///
        /// - Parameters:
        ///   - limit: how many may be lent at once. Each is two descriptors, and its size of the kernel's memory while
        ///     a slow reader lets it stand full.
        ///   - maxLarge: a pipe is large while fewer are lent: bulk in larger pieces wakes its reader less often, and
        ///     costs a quarter less processor time than in small ones.
        ///   - maxSpare: how many wait for the next user; the others are closed.
        init(limit: Int = 80, maxLarge: Int = 16, maxSpare: Int = 8) {
            self.limit = limit
            self.maxLarge = maxLarge
            self.maxSpare = maxSpare
        }

        /// An empty pipe, or nil when enough of them are lent or the system has none: then the bytes are copied.
        mutating func take() -> SplicePipe? {
            guard self.lent < self.limit,
                let pipe = self.spare.popLast() ?? SplicePipe(self.lent < self.maxLarge ? .large : .small)
            else { return nil }
            self.lent += 1
            return pipe
        }

        mutating func give(_ pipe: SplicePipe) {
            self.lent -= 1
            // What a tunnel left in its pipe at its end is nobody else's.
            if pipe.count == 0, pipe.size == .large, self.spare.count < self.maxSpare {
                self.spare.append(pipe)
            } else {
                pipe.close()
            }
        }
    }
#endif
