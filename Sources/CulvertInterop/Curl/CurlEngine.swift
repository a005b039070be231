import CCurl
import Synchronization

/// The loop of a ``CurlMulti``'s thread.
///
/// `@unchecked Sendable`: `handle` is used by the thread alone, but for `curl_multi_wakeup`, which libcurl allows from
/// any; the lock sees to it that no wake-up comes after the handle is gone. `active` is the thread's alone.
final class CurlEngine: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    private var active: [UnsafeMutableRawPointer: CurlTicket] = [:]
    private let inbox = Mutex(Inbox())

    private struct Inbox {
        var isRunning = true
        var isStopping = false
        var tickets: [CurlTicket] = []
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Takes over the handle.
    init(_ handle: UnsafeMutableRawPointer) {
        self.handle = handle
    }

    // MARK: From other threads

    func submit(_ ticket: CurlTicket) {
        let isTaken = self.inbox.withLock { inbox in
            guard inbox.isRunning, !inbox.isStopping else { return false }
            inbox.tickets.append(ticket)
            curl_multi_wakeup(self.handle)
            return true
        }
        if !isTaken { ticket.finish(.failure(Self.ended)) }
    }

    func wake() {
        self.inbox.withLock { inbox in
            if inbox.isRunning { curl_multi_wakeup(self.handle) }
        }
    }

    func stop(_ waiter: CheckedContinuation<Void, Never>?) {
        let isOver = self.inbox.withLock { inbox in
            guard inbox.isRunning else { return true }
            inbox.isStopping = true
            if let waiter { inbox.stopWaiters.append(waiter) }
            curl_multi_wakeup(self.handle)
            return false
        }
        if isOver { waiter?.resume() }
    }

    // MARK: The thread

    /// Until it is stopped.
    func run() {
        while true {
            let (tickets, isStopping) = self.inbox.withLock { inbox in
                defer { inbox.tickets = [] }
                return (inbox.tickets, inbox.isStopping)
            }
            for ticket in tickets { self.start(ticket) }
            for (easy, ticket) in self.active where ticket.isCancelled.isSet {
                self.finish(easy, .failure(CancellationError()))
            }
            if isStopping { break }
            self.turn()
        }
        for easy in self.active.keys { self.finish(easy, .failure(Self.ended)) }
        let waiters = self.inbox.withLock { inbox in
            inbox.isRunning = false
            return inbox.stopWaiters
        }
        curl_multi_cleanup(self.handle)
        for waiter in waiters { waiter.resume() }
    }

    private func start(_ ticket: CurlTicket) {
        let easy = ticket.easy.handle
        guard self.active[easy] == nil, curl_multi_add_handle(self.handle, easy) == CURLM_OK else {
            ticket.finish(.failure(InteropFailure(.other, "libcurl does not start the transfer")))
            return
        }
        self.active[easy] = ticket
    }

    /// Moves what can be moved, tells of what ended, and sleeps until a socket, a timer or a wake-up.
    private func turn() {
        var running: Int32 = 0
        curl_multi_perform(self.handle, &running)
        var left: Int32 = 0
        while let message = curl_multi_info_read(self.handle, &left)?.pointee {
            guard message.msg == CURLMSG_DONE, let easy = message.easy_handle else { continue }
            let outcome = self.active[easy]?.easy.outcome(message.data.result)
            self.finish(easy, outcome.map { .success($0) } ?? .failure(Self.ended))
        }
        // A second at most, for timers of its own that libcurl might not tell of.
        curl_multi_poll(self.handle, nil, 0, 1000, nil)
    }

    private func finish(_ easy: UnsafeMutableRawPointer, _ result: Result<CurlOutcome, any Error>) {
        curl_multi_remove_handle(self.handle, easy)
        self.active.removeValue(forKey: easy)?.finish(result)
    }

    private static var ended: InteropFailure { InteropFailure(.other, "the transfer's thread was ended") }
}
