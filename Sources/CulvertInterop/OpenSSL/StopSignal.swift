#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Wakes every thread that waits for a socket, once and for all.
final class StopSignal: Sendable {
    private let reader: Int32
    private let writer: Int32

    init() throws(SystemCallError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemCallError("pipe") }
        // A child that is started before this line has a copy, which does no harm: a byte wakes, not an end.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        self.reader = ends[0]
        self.writer = ends[1]
    }

    deinit {
        _ = close(reader)
        _ = close(writer)
    }

    /// From now on every wait throws `DuplexStreamError.stopped`.
    func send() {
        // Nobody ever reads it, so it stays for all. The pipe is empty and cannot be full.
        var byte: UInt8 = 0
        while write(writer, &byte, 1) < 0 && errno == EINTR {}
    }

    /// What to wait for on one descriptor.
    struct Interest {
        var descriptor: Int32
        var toRead = false
        var toWrite = false
    }

    /// Waits until one of the descriptors is ready, or has failed; without any, until the deadline.
    ///
    /// - Throws: `DuplexStreamError.stopped`; `.timedOut` at the deadline.
    func wait(for interests: [Interest], until deadline: ContinuousClock.Instant) throws {
        var polled = [pollfd(fd: reader, events: Int16(POLLIN), revents: 0)]
        // One without an interest would report a connection's end again and again.
        for interest in interests where interest.toRead || interest.toWrite {
            let events = (interest.toRead ? POLLIN : 0) | (interest.toWrite ? POLLOUT : 0)
            polled.append(pollfd(fd: interest.descriptor, events: Int16(events), revents: 0))
        }
        while true {
            let left = (deadline - .now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1
            let ready = poll(&polled, nfds_t(polled.count), Int32(clamping: max(0, milliseconds)))
            if polled[0].revents != 0 { throw DuplexStreamError.stopped }
            if ready > 0 { return }
            if ready == 0, deadline <= .now { throw DuplexStreamError.timedOut }
            if ready < 0, errno != EINTR { throw SystemCallError("poll") }
        }
    }
}
