#if os(Linux)
    import CLinux

    /// A pipe through which the kernel moves bytes from one socket to another. Nobody closes it by itself.
    struct SplicePipe {
        let output: CInt
        let input: CInt
        let size: Size
        /// Bytes inside.
        var count = 0

        /// What is asked of the kernel for one pipe, in bytes.
        enum Size: Int {
            /// Linux lets a user have so much without privileges: `fs.pipe-max-size`.
            case large = 0x10_0000
            case small = 0x4_0000
        }

        /// Nil when there is no descriptor for it, or the system gives no more memory to pipes.
        init?(_ size: Size) {
            self.size = size
            var ends: [CInt] = [-1, -1]
            guard culvert_pipe(&ends) == 0 else { return nil }
            (self.output, self.input) = (ends[0], ends[1])
            // One of the default's size works too; a user who has many of them gets a single page.
            if culvert_set_pipe_size(self.input, CInt(size.rawValue)) < 0 {
                _ = culvert_set_pipe_size(self.input, CInt(Size.small.rawValue))
            }
        }

        func close() {
            SpliceSocket(descriptor: self.output).close()
            SpliceSocket(descriptor: self.input).close()
        }
    }
#endif
