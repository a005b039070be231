import Dispatch
public import Foundation
import Synchronization

/// Writes access-log lines to a file without ever holding up the proxy.
///
/// Lines wait in a bounded queue while the file is slow; past the bound they are counted, and a line says how many
/// are missing.
public final class AccessLogWriter: Sendable {
    /// How a line looks.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// One JSON object: ``AccessLogEntry/json``.
        case json
        /// Squid's native format: ``AccessLogEntry/squid``.
        case squid

        func line(_ entry: AccessLogEntry) -> String {
            switch self {
            case .json: entry.json
            case .squid: entry.squid
            }
        }

        func notice(droppedLines: Int) -> String {
            switch self {
            case .json: "{\"droppedLines\":\(droppedLines)}"
            case .squid: "# \(droppedLines) lines are missing here"
            }
        }
    }

    /// 10,000 lines are some 3 MB: seconds of a busy proxy.
    private static let maxWaiting = 10_000

    private struct State {
        var waiting = 0
        var dropped = 0
        var hasFailed = false
        var file: FileHandle
    }

    private let path: String?
    private let format: Format
    private let onFailure: (@Sendable (any Error) -> Void)?
    private let queue = DispatchQueue(label: "culvert.access-log")
    private let state: Mutex<State>

    /// A writer to an open file, for example standard output.
    ///
    /// - Parameter onFailure: told of the first line that could not be written, and of the first after a good one.
    public convenience init(
        to file: FileHandle, format: Format = .json, onFailure: (@Sendable (any Error) -> Void)? = nil
    ) {
        self.init(file, path: nil, format: format, onFailure: onFailure)
    }

    /// Opens a file for appending, created with mode 0640 when it is not there.
    ///
    /// - Throws: a POSIX error of the open.
    public convenience init(
        path: String, format: Format = .json, onFailure: (@Sendable (any Error) -> Void)? = nil
    ) throws {
        self.init(try Self.open(path), path: path, format: format, onFailure: onFailure)
    }

    private init(
        _ file: FileHandle, path: String?, format: Format, onFailure: (@Sendable (any Error) -> Void)?
    ) {
        self.path = path
        self.format = format
        self.onFailure = onFailure
        self.state = Mutex(State(file: file))
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
            let notice = dropped > 0 ? self.format.notice(droppedLines: dropped) + "\n" : ""
            self.writeNow(notice + self.format.line(entry) + "\n")
        }
    }

    /// Opens the file by its name again, after the lines that wait: for a log that was rotated away. A file that
    /// cannot be opened is told to `onFailure`, and the old one goes on. Without effect on an open file that has no
    /// name here.
    public func reopen() {
        guard let path else { return }
        self.queue.async {
            do {
                let file = try Self.open(path)
                self.state.withLock { $0.file = file }
            } catch {
                self.onFailure?(error)
            }
        }
    }

    /// Returns once every queued line is written.
    public func flush() {
        self.queue.sync {}
    }

    private static func open(_ path: String) throws -> FileHandle {
        let descriptor = Foundation.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    private func writeNow(_ text: String) {
        let file = self.state.withLock { $0.file }
        var failure: (any Error)?
        do {
            try file.write(contentsOf: Data(text.utf8))
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
}
