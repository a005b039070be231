import Foundation

/// What a program has written so far to one of its outputs, up to a bound.
package final class CapturedOutput: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var lineEnds = 0
        var ended = false
    }

    /// 64 MiB: the largest payload that is round-tripped through a pipe is 20 MB; a runaway peer stops mattering here.
    static let limit = 64 << 20

    private let state = Locked(State())

    /// Reads `handle` to its end on a thread of its own, so that no task ever blocks on a pipe.
    init(reading handle: FileHandle) {
        let descriptor = handle.fileDescriptor
        let state = self.state
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { break }
                state.withLock { state in
                    let kept = buffer[..<min(count, Self.limit - state.bytes.count)]
                    state.bytes.append(contentsOf: kept)
                    state.lineEnds += kept.count { $0 == UInt8(ascii: "\n") }
                }
            }
            state.withLock { $0.ended = true }
            try? handle.close()
        }
    }

    package var bytes: [UInt8] { self.state.withLock { $0.bytes } }

    package var count: Int { self.state.withLock { $0.bytes.count } }

    package var text: String { String(decoding: self.bytes, as: UTF8.self) }

    /// How many complete lines there are: for who waits for thousands.
    package var lineCount: Int { self.state.withLock { $0.lineEnds } }

    /// Complete lines, without their ends. An empty line is a line.
    package var lines: [String] {
        var lines = self.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines.removeLast()
        return lines
    }

    package var hasEnded: Bool { self.state.withLock { $0.ended } }
}
