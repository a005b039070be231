#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// SwiftPM names an executable's entry point after its module and makes it `main`, which keeps libFuzzer's own `main`
/// out; so this is it, and it starts libFuzzer.
@_cdecl("FuzzWebSocketWire_main")
public func fuzzMain(
    _ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
    // Swift's backtracer may hold these; libFuzzer takes only free ones, and without them it saves no crash.
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] { _ = signal(number, SIG_DFL) }
    var argc = argc
    var argv = argv
    return runDriver(&argc, &argv, fuzzWebSocketWire)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argc: UnsafeMutablePointer<CInt>,
    _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
