import CBenchmarks
import Foundation

/// Runs an operation over and over and takes the processor time of its thread, which other programs that want the
/// same processor do not lengthen.
struct Stopwatch {
    /// For each benchmark.
    let seconds: Double
    /// What stands in the names of those that are wanted.
    let only: String
    /// Hears of each result.
    let report: (CodecResult) throws -> Void

    private static let samples = 9

    /// - Parameters:
    ///   - bytes: payload in one operation.
    ///   - operations: how many of them one call of `body` does.
    func measure(
        _ name: String, bytes: Int, operations: Int = 1, _ body: () throws -> Void
    ) throws {
        guard self.only.isEmpty || name.contains(self.only) else { return }
        try body()
        let calls = try self.callsPerSample(body)
        let allocated = culvert_allocation_count()
        var times: [Double] = []
        for _ in 0..<Self.samples {
            let start = Self.processorTime()
            for _ in 0..<calls { try body() }
            times.append(Self.processorTime() - start)
        }
        let total = Double(calls * operations)
        let median = times.sorted()[times.count / 2] / total
        // The list of times grows by a few allocations; that is not the benchmark's.
        let allocations = Double(culvert_allocation_count() - allocated) / (total * Double(Self.samples))
        try self.report(
            CodecResult(
                benchmark: name, bytes: bytes, nanoseconds: median,
                gigabytesPerSecond: Double(bytes) / median,
                allocations: allocated < 0 ? nil : allocations))
    }

    /// So many that a sample takes its share of the time.
    private func callsPerSample(_ body: () throws -> Void) throws -> Int {
        let share = self.seconds * 1e9 / Double(Self.samples)
        var calls = 1
        while true {
            let start = Self.processorTime()
            for _ in 0..<calls { try body() }
            let elapsed = Self.processorTime() - start
            if elapsed >= share / 4 { return max(1, Int(Double(calls) * share / elapsed)) }
            calls *= 2
        }
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}

/// Keeps a value: without a use the compiler could leave the whole computation away.
@inline(never)
func use<Value>(_ value: Value) {}
