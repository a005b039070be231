#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A reader of our output that goes away is an error of the write, told with its reason, not the end of the process.
func ignoreBrokenPipes() {
    signal(SIGPIPE, SIG_IGN)
}
