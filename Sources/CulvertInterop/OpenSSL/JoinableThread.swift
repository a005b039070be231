#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A thread for blocking work, whose end can be waited for.
///
/// `@unchecked`: the handle is written before the value is shared, and only read after that.
final class JoinableThread: @unchecked Sendable {
    private final class Body {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    private let handle: pthread_t

    /// Starts it.
    init(_ run: @escaping @Sendable () -> Void) throws(SystemCallError) {
        let body = Unmanaged.passRetained(Body(run: run))
        #if canImport(Darwin)
            var handle: pthread_t?
            let code = pthread_create(&handle, nil, { JoinableThread.start($0) }, body.toOpaque())
        #else
            var started = pthread_t()
            let code = pthread_create(&started, nil, { $0.flatMap(JoinableThread.start) }, body.toOpaque())
            let handle: pthread_t? = started
        #endif
        guard code == 0, let handle else {
            body.release()
            throw SystemCallError("pthread_create", code: code)
        }
        self.handle = handle
    }

    /// Waits for its end. To be called exactly once, from another thread: the system keeps its stack until then.
    func join() {
        pthread_join(handle, nil)
    }

    private static func start(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        body.run()
        return nil
    }
}
