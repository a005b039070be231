import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How long a blocking call may take, and who may end it earlier.
struct CurlDeadline: Sendable {
    let end: ContinuousClock.Instant
    let bell: CurlBell
    let isCancelled = CurlFlag()

    init(after time: Duration, _ bell: CurlBell) {
        self.end = .now + time
        self.bell = bell
    }

    /// From any thread.
    func cancel() {
        self.isCancelled.set()
        self.bell.ring()
    }

    var isOver: Bool { self.isCancelled.isSet || .now >= self.end }

    /// - Throws: `InteropFailure` (timed out) when there is none left; `CancellationError`.
    func timeLeft() throws -> Duration {
        if self.isCancelled.isSet { throw CancellationError() }
        let left = ContinuousClock.now.duration(to: self.end)
        guard left > .zero else { throw InteropFailure(.timedOut, "nothing moved in time") }
        return left
    }

    /// Waits until the socket can be read (or written too) or the time is over.
    ///
    /// - Throws: as ``timeLeft()``.
    func wait(for socket: Int32, writing: Bool) throws {
        let left = try self.timeLeft()
        var sockets = [
            pollfd(fd: socket, events: Int16(POLLIN) | (writing ? Int16(POLLOUT) : 0), revents: 0),
            pollfd(fd: self.bell.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        // An interrupted or failed poll is one that found nothing: the caller comes again.
        _ = poll(&sockets, nfds_t(sockets.count), Int32(min(left / .milliseconds(1), 1000)) + 1)
        if sockets[1].revents != 0 { self.bell.clear() }
        _ = try self.timeLeft()
    }
}

/// Wakes a thread out of `poll`: a pipe, which every system has.
final class CurlBell: Sendable {
    /// Becomes readable when it rings.
    let descriptor: Int32
    private let writer: Int32

    /// - Throws: `InteropFailure` without descriptors.
    init() throws(InteropFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw InteropFailure(.other, "no pipe: errno \(errno)") }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (self.descriptor, self.writer) = (ends[0], ends[1])
    }

    deinit {
        close(self.descriptor)
        close(self.writer)
    }

    func ring() {
        var byte: UInt8 = 1
        // A full pipe rings already.
        _ = write(self.writer, &byte, 1)
    }

    func clear() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(self.descriptor, &bytes, bytes.count) == bytes.count {}
    }
}
