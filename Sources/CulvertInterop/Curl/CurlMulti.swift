import CCurl
import Foundation
import Synchronization

/// Runs transfers of libcurl on one thread of its own. They share its connections, so that reuse shows in
/// `newConnections`.
///
/// End it with ``end()``: that closes the connections and lets the thread go.
final class CurlMulti: Sendable {
    private let engine: CurlEngine

    /// - Throws: `InteropFailure` when libcurl makes no handle.
    init() throws(InteropFailure) {
        _ = CurlLibrary.current
        guard let handle = curl_multi_init() else {
            throw InteropFailure(.other, "libcurl makes no multi handle")
        }
        let engine = CurlEngine(handle)
        self.engine = engine
        let thread = Thread { engine.run() }
        thread.name = "culvert curl"
        thread.start()
    }

    deinit {
        self.engine.stop(nil)
    }

    /// Runs a transfer to its end, whatever that is.
    ///
    /// - Parameter timeout: over all of it.
    /// - Throws: `CancellationError`, at once; `InteropFailure` when it could not even start.
    func perform(_ easy: CurlEasy, timeout: Duration) async throws -> CurlOutcome {
        try CurlOption.timeout(timeout).apply(to: easy)
        let ticket = CurlTicket(easy)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                ticket.waiter.withLock { $0 = continuation }
                self.engine.submit(ticket)
            }
        } onCancel: {
            ticket.isCancelled.set()
            self.engine.wake()
        }
    }

    /// Ends what runs, closes all connections, and returns when the thread has done so.
    func end() async {
        await withCheckedContinuation { self.engine.stop($0) }
    }
}

/// A transfer that somebody waits for.
final class CurlTicket: Sendable {
    let easy: CurlEasy
    let isCancelled = CurlFlag()
    let waiter = Mutex<CheckedContinuation<CurlOutcome, any Error>?>(nil)

    init(_ easy: CurlEasy) {
        self.easy = easy
    }

    /// Tells the one who waits; a second call does nothing.
    func finish(_ result: Result<CurlOutcome, any Error>) {
        self.waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }?.resume(with: result)
    }
}
