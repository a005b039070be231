import Foundation

/// What a walk along the way out found.
struct DoctorReport: Codable {
    enum Verdict: String, Codable {
        case ok
        /// Works, and a person should know something about it.
        case note
        case failed
    }

    struct Step: Codable {
        var phase: DoctorPhase
        var verdict: Verdict
        /// One line for a person.
        var detail: String
        /// What to do about it.
        var advice: String?
        var milliseconds: Double?
    }

    var target: String
    /// The way that was walked: its proxies without credentials, or `direct`.
    var route: String?
    var steps: [Step] = []

    /// The first phase that failed.
    var failed: DoctorPhase? { self.steps.first { $0.verdict == .failed }?.phase }

    var exitStatus: Int32 { self.failed?.exitStatus ?? 0 }

    mutating func add(
        _ phase: DoctorPhase, _ verdict: Verdict, _ detail: String, advice: String? = nil,
        took: Duration? = nil
    ) {
        let milliseconds = took.map { (($0 / .microseconds(100)).rounded()) / 10 }
        self.steps.append(
            Step(phase: phase, verdict: verdict, detail: detail, advice: advice, milliseconds: milliseconds))
    }

    // MARK: For people and machines

    var table: String {
        var lines = ["culvert doctor: \(self.target)"]
        let width = DoctorPhase.allCases.map(\.rawValue.count).max() ?? 0
        for step in self.steps {
            let name = step.phase.rawValue.padding(toLength: width, withPad: " ", startingAt: 0)
            let verdict = (step.verdict == .failed ? "FAILED" : step.verdict.rawValue)
                .padding(toLength: 6, withPad: " ", startingAt: 0)
            let time = step.milliseconds.map { "  (\($0) ms)" } ?? ""
            lines.append("  \(name)  \(verdict)  \(step.detail)\(time)")
            if let advice = step.advice {
                lines.append(String(repeating: " ", count: width + 12) + "-> \(advice)")
            }
        }
        lines.append(self.summary)
        return lines.map { printable($0) }.joined(separator: "\n")
    }

    private var summary: String {
        guard let failed else { return "Everything works." }
        return "\(failed.rawValue) failed (exit status \(failed.exitStatus))."
    }

    var json: String {
        struct Whole: Encodable {
            var target: String
            var route: String?
            var ok: Bool
            var failed: DoctorPhase?
            var exitStatus: Int32
            var steps: [Step]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let whole = Whole(
            target: self.target, route: self.route, ok: self.failed == nil, failed: self.failed,
            exitStatus: self.exitStatus, steps: self.steps)
        // Texts and finite numbers: nothing in there can fail to be encoded.
        return (try? encoder.encode(whole)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
