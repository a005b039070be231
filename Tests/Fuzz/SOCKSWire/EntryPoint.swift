#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// SwiftPM makes a function of this name the program's `main`, which keeps libFuzzer's own out; it starts libFuzzer.
@_cdecl("FuzzSOCKSWire_main")
public func fuzzMain(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
    // Swift's backtracer may hold these; libFuzzer takes only free ones, and saves no input without them.
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] { _ = signal(number, SIG_DFL) }
    var count = count
    var arguments = arguments
    return runDriver(&count, &arguments, fuzzSOCKSWire)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
