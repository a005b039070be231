import Dispatch

/// The monotonic clock in nanoseconds.
func nanoseconds() -> UInt64 {
    DispatchTime.now().uptimeNanoseconds
}
