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

        func add(_ entry: AccessLogEntry, to text: inout LogText) {
            switch self {
            case .json: entry.addJSON(to: &text)
            case .squid: entry.addSquid(to: &text)
            }
            text.endLine()
        }

        func addNotice(droppedLines: Int, to text: inout LogText) {
            switch self {
            case .json: text.add("{\"droppedLines\":\(droppedLines)}")
            case .squid: text.add("# \(droppedLines) lines are missing here")
            }
            text.endLine()
        }
    }

    /// 10,000 lines are some 3 MB: seconds of a busy proxy.
    private static let maxWaiting = 10_000
    /// How long a line may wait for others to be written with: for whoever watches the file no time at all, for a busy
    /// proxy hundreds of lines.
    private static let delay = DispatchTimeInterval.milliseconds(20)

    private struct State {
        var waiting: [AccessLogEntry] = []
        /// Those that came while too many waited, after all of these.
        var dropped = 0
        /// The queue will look after them.
        var isScheduled = false

        mutating func take() -> Batch {
            defer { (self.waiting, self.dropped) = ([], 0) }
            return Batch(entries: self.waiting, dropped: self.dropped)
        }
    }

    private struct Batch {
        let entries: [AccessLogEntry]
        /// Behind them.
        let dropped: Int
    }

    /// What belongs to the queue.
    fileprivate struct Output {
        var file: FileHandle
        var text = LogText()
        var hasFailed = false
    }

    private let path: String?
    private let format: Format
    private let onFailure: (@Sendable (any Error) -> Void)?
    private let queue = DispatchQueue(label: "culvert.access-log")
    private let state = Mutex(State())
    private let output: Mutex<Output>

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
        self.output = Mutex(Output(file: file))
    }

    /// Queues one line.
    public func write(_ entry: AccessLogEntry) {
        self.state.withLock { state in
            guard state.waiting.count < Self.maxWaiting else {
                state.dropped += 1
                return
            }
            state.waiting.append(entry)
            guard !state.isScheduled else { return }
            state.isScheduled = true
            self.queue.asyncAfter(deadline: .now() + Self.delay) { self.writeWaiting() }
        }
    }

    /// Opens the file by its name again, after the lines that wait: for a log that was rotated away. A file that
    /// cannot be opened is told to `onFailure`, and the old one goes on. Without effect on an open file that has no
    /// name here.
    public func reopen() {
        guard let path else { return }
        self.state.withLock { state in
            let batch = state.take()
            // Inside the lock: nobody else's lines may come between.
            self.queue.async {
                self.write(batch)
                self.open(path)
            }
        }
    }

    /// Returns once every queued line is written.
    public func flush() {
        self.queue.sync { self.writeWaiting() }
    }

    private func writeWaiting() {
        let batch = self.state.withLock { state in
            state.isScheduled = false
            return state.take()
        }
        self.write(batch)
    }

    /// On the queue.
    private func open(_ path: String) {
        do {
            let file = try Self.open(path)
            self.output.withLock { $0.file = file }
        } catch {
            self.onFailure?(error)
        }
    }

    /// On the queue.
    private func write(_ batch: Batch) {
        let failure: (any Error)? = self.output.withLock { output in
            output.text.removeAll()
            for entry in batch.entries { self.format.add(entry, to: &output.text) }
            if batch.dropped > 0 { self.format.addNotice(droppedLines: batch.dropped, to: &output.text) }
            return output.write()
        }
        if let failure { self.onFailure?(failure) }
    }

    private static func open(_ path: String) throws -> FileHandle {
        let descriptor = Foundation.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}

extension AccessLogWriter.Output {
    /// Returns an error, unless the last text met one too.
    fileprivate mutating func write() -> (any Error)? {
        guard !self.text.bytes.isEmpty else { return nil }
        do {
            try self.file.write(contentsOf: Data(self.text.bytes))
            self.hasFailed = false
            return nil
        } catch {
            defer { self.hasFailed = true }
            return self.hasFailed ? nil : error
        }
    }
}
