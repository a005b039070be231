import Dispatch
public import Foundation
import Synchronization

/// Writes access-log lines to a file without ever holding up the proxy.
///
/// Lines wait in a bounded queue while the file is slow; past the bound they are counted, and a line says how many
/// are missing.
public final class AccessLogWriter: Sendable {
    /// 10,000 lines are some 3 MB: seconds of a busy proxy.
    private static let maxWaiting = 10_000

    private struct State {
        var waiting = 0
        var dropped = 0
        var hasFailed = false
    }

    private let file: FileHandle
    private let onFailure: (@Sendable (any Error) -> Void)?
    private let queue = DispatchQueue(label: "culvert.access-log")
    private let state = Mutex(State())

    /// A writer to an open file, for example standard output.
    ///
    /// - Parameter onFailure: told of the first line that could not be written, and of the first after a good one.
    public init(to file: FileHandle, onFailure: (@Sendable (any Error) -> Void)? = nil) {
        self.file = file
        self.onFailure = onFailure
    }

    /// Opens a file for appending, created with mode 0640 when it is not there.
    ///
    /// - Throws: a POSIX error of the open.
    public convenience init(path: String, onFailure: (@Sendable (any Error) -> Void)? = nil) throws {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.init(to: FileHandle(fileDescriptor: descriptor, closeOnDealloc: true), onFailure: onFailure)
    }

    /// Queues one line.
    public func write(_ entry: AccessLogEntry) {
        let dropped: Int? = self.state.withLock { state in
            guard state.waiting < Self.maxWaiting else {
                state.dropped += 1
                return nil
            }
            state.waiting += 1
            defer { state.dropped = 0 }
            return state.dropped
        }
        guard let dropped else { return }
        self.queue.async {
            let notice = dropped > 0 ? "{\"droppedLines\":\(dropped)}\n" : ""
            self.writeNow(notice + entry.json + "\n")
        }
    }

    private func writeNow(_ text: String) {
        var failure: (any Error)?
        do {
            try self.file.write(contentsOf: Data(text.utf8))
        } catch {
            failure = error
        }
        let isNew = self.state.withLock { state in
            state.waiting -= 1
            defer { state.hasFailed = failure != nil }
            return failure != nil && !state.hasFailed
        }
        if isNew, let failure { self.onFailure?(failure) }
    }

    /// Returns once every queued line is written.
    public func flush() {
        self.queue.sync {}
    }
}
