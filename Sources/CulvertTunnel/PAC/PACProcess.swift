import Foundation
import NIOPosix
import ProxyRoutes
import Spawn

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One evaluation in a process of its own, which is killed when it takes too long.
struct PACProcess {
    let source: ProxyScriptSource
    let options: ProxyScript.Options

    /// As many scripts run at once. They mostly wait for name servers, and one that hangs must not hold up the others.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 8)
        pool.start()
        return pool
    }()

    /// An answer is some dozen bytes, with what the script tells beside it.
    private static let maxOutput = 1 << 20

    /// What a script may see of the environment: the clock's zone, the resolver's settings, where libraries are.
    private static let passedVariables = [
        "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PATH", "RES_OPTIONS", "LOCALDOMAIN", "HOSTALIASES",
    ]

    func run(_ question: PACQuestion) async throws(ProxyScriptError) -> PACAnswer {
        do {
            return try await Self.threads.runIfActive { try self.runHere(question) }
        } catch let error as ProxyScriptError {
            throw error
        } catch {
            throw ProxyScriptError(.noEvaluator, self.source, "\(error)")
        }
    }

    private func runHere(_ question: PACQuestion) throws -> PACAnswer {
        let output: ChildPipe
        let process: SpawnedProcess
        do {
            output = try ChildPipe()
            process = try self.start(question, output)
        } catch let error as SpawnError {
            throw ProxyScriptError(
                .noEvaluator, self.source,
                "the evaluator \(self.options.evaluator.first ?? "") cannot be started: \(error)")
        }
        try? output.writing.close()
        let data = self.read(output.reading.fileDescriptor)
        // Without effect on one that ended by itself, which is not reaped before.
        if data == nil { kill(process.pid, SIGKILL) }
        let exit = process.wait()
        guard let data else {
            throw ProxyScriptError(
                .killed, self.source, "the script was stopped: it did not end within \(self.options.deadline)"
            )
        }
        return try self.answer(data, exit)
    }

    private func start(_ question: PACQuestion, _ output: ChildPipe) throws -> SpawnedProcess {
        guard let program = self.options.evaluator.first.flatMap(Self.path) else {
            throw ProxyScriptError(
                .noEvaluator, self.source,
                "the evaluator \(self.options.evaluator.first ?? "") is not there; name the culvert program in ProxyScript.Options.evaluator"
            )
        }
        let environment = ProcessInfo.processInfo.environment
        return try SpawnedProcess(
            program, Array(self.options.evaluator.dropFirst()),
            environment: environment.filter { Self.passedVariables.contains($0.key) },
            input: self.input(question),
            output: output.writing)
    }

    /// A file without a name: unlike a pipe it takes all at once, and nobody's signal tells of a reader that is gone.
    private func input(_ question: PACQuestion) throws -> FileHandle {
        var template = Array("\(NSTemporaryDirectory())/culvert-pac-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw ProxyScriptError(
                .noEvaluator, self.source, "no temporary file: \(String(cString: strerror(errno)))")
        }
        unlink(template)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: JSONEncoder().encode(question))
        try handle.seek(toOffset: 0)
        return handle
    }

    /// Up to the end of its output; nil when the deadline passes before.
    private func read(_ descriptor: CInt) -> [UInt8]? {
        let end = ContinuousClock.now.advanced(by: self.options.deadline)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < Self.maxOutput {
            let left = ContinuousClock.now.duration(to: end) / .milliseconds(1)
            guard left > 0 else { return nil }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, CInt(min(left.rounded(.up), 60_000))) <= 0 { continue }
            #if canImport(Darwin)
                let count = Darwin.read(descriptor, &chunk, chunk.count)
            #elseif canImport(Glibc)
                let count = Glibc.read(descriptor, &chunk, chunk.count)
            #else
                let count = Musl.read(descriptor, &chunk, chunk.count)
            #endif
            if count <= 0 { return bytes }
            bytes += chunk[..<count]
        }
        return bytes
    }

    private func answer(_ data: [UInt8], _ exit: SpawnedProcess.Exit?) throws -> PACAnswer {
        if let answer = try? JSONDecoder().decode(PACAnswer.self, from: Data(data)) { return answer }
        let end: String
        switch exit {
        case .signal(let number):
            throw ProxyScriptError(
                .killed, self.source,
                "the script was stopped: it took too much memory or processor time (signal \(number))")
        case .status(let status): end = "status \(status)"
        case nil: end = "status unknown"
        }
        throw ProxyScriptError(
            .noEvaluator, self.source,
            "the evaluator \(self.options.evaluator.joined(separator: " ")) gave no answer (\(end))")
    }

    private static func path(of program: String) -> String? {
        if program.contains("/") { return program }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
