import Foundation
import ProxyRoutes

/// The evaluating process: reads a ``PACQuestion`` from standard input, writes a ``PACAnswer`` to standard output.
package enum PACWorker {
    /// A script and its question in JSON, where each byte may take six.
    private static let maxInput = 8 << 20
    /// The program itself, its stacks and its libraries.
    private static let ownMemory = 2 << 30

    /// - Returns: whether there was a question to answer.
    package static func run() -> Bool {
        guard let data = try? FileHandle.standardInput.read(upToCount: self.maxInput),
            let question = try? JSONDecoder().decode(PACQuestion.self, from: data)
        else { return false }
        self.limit(RLIMIT_CPU, to: question.seconds)
        self.limit(RLIMIT_AS, to: self.ownMemory + question.memoryLimit)
        self.limit(RLIMIT_CORE, to: 0)
        let world = PACSystemWorld()
        var answer = PACEvaluation.run(question, in: world)
        answer.alerts = world.alerts
        guard let output = try? JSONEncoder().encode(answer) else { return false }
        try? FileHandle.standardOutput.write(contentsOf: output)
        return true
    }

    #if canImport(Glibc)
        private static func limit(_ resource: __rlimit_resource, to value: Int) {
            self.limit(CInt(resource.rawValue), to: value)
        }
    #endif

    private static func limit(_ resource: CInt, to value: Int) {
        var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(resource)
        #endif
        // Where the system has no such limit, the deadline and the engine's own budget still hold.
        _ = setrlimit(resource, &limit)
    }
}
