import Foundation
import Spawn

/// A program with its outputs captured.
///
/// Nothing of the caller's environment reaches it but what is listed in `baseEnvironment`: a proxy variable set on
/// the machine must not decide how peers speak with each other.
package final class ChildProcess: Sendable {
    /// What the program reads on standard input.
    package enum Input: Sendable {
        case nothing
        case bytes([UInt8])
        /// Stays open until `closeInput()`.
        case open
        /// These, written by a thread of their own, and then as `open`.
        case bytesThenOpen([UInt8])
    }

    package let name: String
    package let pid: Int32
    package let output: CapturedOutput
    package let errors: CapturedOutput
    private let exitStatus: Locked<Int32?>
    private let inputHandle: FileHandle?

    package init(_ command: [String], environment: [String: String] = [:], input: Input = .nothing) throws {
        _ = Self.ignoreBrokenPipes
        let output = try ChildPipe()
        let errors = try ChildPipe()
        let inputPipe: ChildPipe? = if case .nothing = input { nil } else { try ChildPipe() }
        let process = try SpawnedProcess(
            "/usr/bin/env", command,
            environment: Self.baseEnvironment.merging(environment) { _, new in new },
            input: inputPipe?.reading, output: output.writing, errors: errors.writing)
        for theirs in [output.writing, errors.writing, inputPipe?.reading] { try theirs?.close() }

        let exitStatus = Locked<Int32?>(nil)
        Thread.detachNewThread {
            let status: Int32 =
                switch process.wait() {
                case .status(let status): status
                case .signal(let number): 128 + number
                case nil: -1
                }
            exitStatus.withLock { $0 = status }
        }
        self.name = command.first ?? ""
        self.pid = process.pid
        self.exitStatus = exitStatus
        self.output = CapturedOutput(reading: output.reading)
        self.errors = CapturedOutput(reading: errors.reading)
        self.inputHandle = Self.feed(inputPipe?.writing, input)
    }

    /// Returns the end that stays open.
    private static func feed(_ handle: FileHandle?, _ input: Input) -> FileHandle? {
        switch input {
        case .nothing, .open: break
        case .bytesThenOpen(let bytes):
            Thread.detachNewThread { try? handle?.write(contentsOf: Data(bytes)) }
        case .bytes(let bytes):
            Thread.detachNewThread {
                // A program that stops reading early is its user's business, not an error here.
                try? handle?.write(contentsOf: Data(bytes))
                try? handle?.close()
            }
            return nil
        }
        return handle
    }

    package func write(_ bytes: [UInt8]) throws { try self.inputHandle?.write(contentsOf: Data(bytes)) }

    package func closeInput() { try? self.inputHandle?.close() }

    package func signal(_ number: Int32) { kill(self.pid, number) }

    /// The exit code once it has ended; 128 plus the signal's number when a signal ended it.
    package var status: Int32? { self.exitStatus.withLock { $0 } }

    /// Waits for the program and for the end of both its outputs.
    package func exit(within limit: Duration) async throws -> Int32 {
        do {
            try await eventually("\(self.name) ends", within: limit) {
                self.status != nil && self.output.hasEnded && self.errors.hasEnded
            }
        } catch {
            self.signal(SIGKILL)
            throw TimedOut(what: "\(error): stderr so far: \(self.errors.text.suffix(2000))")
        }
        return self.status ?? -1
    }

    private static let baseEnvironment: [String: String] = {
        let own = ProcessInfo.processInfo.environment
        var environment = ["LANG": "C.UTF-8", "HOME": FileManager.default.temporaryDirectory.path]
        environment["PATH"] = (own["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        return environment
    }()

    /// Writing to a program that has gone must be an error, not our end.
    private static let ignoreBrokenPipes: Void = { _ = Foundation.signal(SIGPIPE, SIG_IGN) }()
}
