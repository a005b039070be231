#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The time as NTLM has it: in 100 ns since 1601.
package enum FileTime {
    /// Windows counts from 1601, which is so many seconds before 1970.
    private static let secondsFrom1601To1970: UInt64 = 11_644_473_600

    package static var now: UInt64 {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0, now.tv_sec >= 0 else { return 0 }
        return (UInt64(now.tv_sec) &+ Self.secondsFrom1601To1970) &* 10_000_000 &+ UInt64(now.tv_nsec) / 100
    }
}
