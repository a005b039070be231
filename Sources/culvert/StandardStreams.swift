import Foundation
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Lines for the person who runs the command.
enum StandardError {
    /// Prints what it can: nobody is left to be told that standard error is closed or full.
    static func print(_ line: String) {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
    }
}

/// Standard input, read on a thread of its own so that a terminal, a pipe and a file all work; a read can be
/// cancelled.
final class StandardInput: Sendable {
    /// One TLS record's worth four times over; a pipe holds as much.
    static let chunk = 64 * 1024

    private let thread = blockingThread()
    /// Reads are numbered, so that the end of one is not taken for that of the next.
    private let reads = Atomic(0)
    private let cancelledRead = Atomic(0)
    private let isEnding = Atomic(false)
    private let wakeReader: CInt
    private let wakeWriter: CInt

    init() throws {
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.wakeReader = ends[0]
        self.wakeWriter = ends[1]
    }

    deinit {
        _ = Foundation.close(self.wakeReader)
        _ = Foundation.close(self.wakeWriter)
    }

    var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// The next bytes; nil at the end. A read that is cancelled takes none.
    func read() async throws -> ByteBuffer? {
        let number = self.reads.wrappingAdd(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            try await self.thread.runIfActive { try self.blockingRead(number) }
        } onCancel: {
            self.cancelledRead.store(number, ordering: .releasing)
            self.wake()
        }
    }

    /// From now on a read that would wait is the end instead.
    func endWhenEmpty() {
        self.isEnding.store(true, ordering: .releasing)
        self.wake()
    }

    private func wake() {
        var byte: UInt8 = 0
        _ = Foundation.write(self.wakeWriter, &byte, 1)
    }

    /// Waits until there is something to read, the end included; false when the input is to end instead.
    private func waitForInput(_ number: Int) throws -> Bool {
        var waits = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.wakeReader, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let isEnding = self.isEnding.load(ordering: .acquiring)
            let count = poll(&waits, nfds_t(waits.count), isEnding ? 0 : -1)
            guard count >= 0 || errno == EINTR else { throw Self.unreadable() }
            if count < 0 { continue }
            if waits[1].revents != 0 { self.takeWake() }
            if self.cancelledRead.load(ordering: .acquiring) == number { throw CancellationError() }
            if waits[0].revents != 0 { return true }
            if isEnding { return false }
        }
    }

    private func takeWake() {
        var byte: UInt8 = 0
        _ = Foundation.read(self.wakeReader, &byte, 1)
    }

    private func blockingRead(_ number: Int) throws -> ByteBuffer? {
        guard try self.waitForInput(number) else { return nil }
        var buffer = ByteBuffer()
        let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.chunk) { pointer in
            while true {
                let count = Foundation.read(STDIN_FILENO, pointer.baseAddress, Self.chunk)
                if count >= 0 { return count }
                guard errno == EINTR else { throw Self.unreadable() }
            }
        }
        return count == 0 ? nil : buffer
    }

    private static func unreadable() -> CommandFailure {
        CommandFailure("cannot read standard input: \(String(cString: strerror(errno)))", status: .badInput)
    }
}

/// Standard output; a write that waits for its reader holds up its caller and nothing else.
struct StandardOutput: Sendable {
    private let thread = blockingThread()

    var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    func write(_ bytes: ByteBuffer) async throws {
        try await self.thread.runIfActive {
            try bytes.withUnsafeReadableBytes { pointer in
                var rest = pointer[...]
                while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
                    let count = Foundation.write(STDOUT_FILENO, start, rest.count)
                    if count >= 0 {
                        rest = rest.dropFirst(count)
                    } else if errno != EINTR {
                        throw CommandFailure(
                            "cannot write to standard output: \(String(cString: strerror(errno)))",
                            status: .connectionLost)
                    }
                }
            }
        }
    }
}

/// A thread that may block. Each stream has its own: on one core a shared pool has one thread, and a read that waits
/// for the user would hold up every write.
private func blockingThread() -> NIOThreadPool {
    let pool = NIOThreadPool(numberOfThreads: 1)
    pool.start()
    return pool
}
