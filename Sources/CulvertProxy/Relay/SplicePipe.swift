#if os(Linux)
    import CLinux

    /// A pipe through which the kernel moves bytes from one socket to another. Nobody closes it by itself.
    struct SplicePipe {
        let output: CInt
        let input: CInt
        /// Bytes inside.
        var count = 0

        /// What is asked of the kernel for one pipe, in bytes. Four times its default: fewer calls per byte.
        static let capacity = 256 * 1024

        /// Nil when there is no descriptor for it, or the system gives no more memory to pipes.
        init?() {
            var ends: [CInt] = [-1, -1]
            guard culvert_pipe(&ends) == 0 else { return nil }
            (self.output, self.input) = (ends[0], ends[1])
            // A smaller one works too; a user who has many of them gets a single page.
            _ = culvert_set_pipe_size(self.input, CInt(Self.capacity))
        }

        func close() {
            SpliceSocket(descriptor: self.output).close()
            SpliceSocket(descriptor: self.input).close()
        }
    }
#endif
