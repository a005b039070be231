import Foundation

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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = Self.baseEnvironment.merging(environment) { _, new in new }
        let outputPipe = Pipe()
        let errorPipe = Pipe()
        process.standardOutput = outputPipe
        process.standardError = errorPipe
        let inputPipe = Pipe()
        if case .nothing = input {
            process.standardInput = FileHandle.nullDevice
        } else {
            process.standardInput = inputPipe
        }
        let exitStatus = Locked<Int32?>(nil)
        process.terminationHandler = { process in
            let status = process.terminationStatus
            let signalled = process.terminationReason == .uncaughtSignal
            exitStatus.withLock { $0 = signalled ? 128 + status : status }
        }
        try Self.withNoSignalBlocked { try process.run() }

        self.name = command.first ?? ""
        self.pid = process.processIdentifier
        self.exitStatus = exitStatus
        self.output = CapturedOutput(reading: outputPipe.fileHandleForReading)
        self.errors = CapturedOutput(reading: errorPipe.fileHandleForReading)
        switch input {
        case .nothing:
            self.inputHandle = nil
        case .open:
            self.inputHandle = inputPipe.fileHandleForWriting
        case .bytesThenOpen(let bytes):
            let handle = inputPipe.fileHandleForWriting
            self.inputHandle = handle
            Thread.detachNewThread { try? handle.write(contentsOf: Data(bytes)) }
        case .bytes(let bytes):
            self.inputHandle = nil
            let handle = inputPipe.fileHandleForWriting
            Thread.detachNewThread {
                // A program that stops reading early is its user's business, not an error here.
                try? handle.write(contentsOf: Data(bytes))
                try? handle.close()
            }
        }
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

    /// A child inherits the signal mask of the thread that starts it, and Dispatch's threads block nearly everything:
    /// such a child would never see SIGTERM or SIGCHLD.
    private static func withNoSignalBlocked(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    /// Writing to a program that has gone must be an error, not our end.
    private static let ignoreBrokenPipes: Void = { _ = Foundation.signal(SIGPIPE, SIG_IGN) }()
}
