import CPACEngine
import Foundation
package import ProxyRoutes

/// One question to one script, answered in this process: for a process that can be killed.
package enum PACEvaluation {
    /// Runs the script. It may take any time; its memory is limited.
    package static func run<World: PACFunction.World>(_ question: PACQuestion, in world: World) -> PACAnswer {
        let caller = Caller { function, arguments in
            PACFunction.allCases.indices.contains(function)
                ? PACFunction.allCases[function].call(arguments, world) : .null
        }
        let names = PACFunction.allCases.map { strdup($0.rawValue) }
        defer { for name in names { free(name) } }
        let outcome = withExtendedLifetime(caller) {
            names.map { UnsafePointer($0) }.withUnsafeBufferPointer { pointer in
                var functions = culvert_pac_functions(
                    names: pointer.baseAddress, count: Int32(names.count),
                    context: Unmanaged.passUnretained(caller).toOpaque(), call: Self.call)
                return culvert_pac_evaluate(
                    question.script, question.script.utf8.count, question.url, question.host, &functions,
                    question.memoryLimit)
            }
        }
        defer { free(outcome.text) }
        let text = outcome.text.map { String(cString: $0) }
        if outcome.succeeded != 0, let text { return PACAnswer(result: text) }
        return PACAnswer(error: text ?? "out of memory", line: outcome.line > 0 ? Int(outcome.line) : nil)
    }

    private final class Caller {
        let call: (Int, [String]) -> PACFunction.Value

        init(_ call: @escaping (Int, [String]) -> PACFunction.Value) {
            self.call = call
        }
    }

    /// Only copies go back: the engine may leave by longjmp, which must not find a frame of Swift's.
    private static let call:
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, Int32, UnsafePointer<UnsafePointer<CChar>?>?
        ) -> culvert_pac_value = { context, function, count, arguments in
            guard let context, let arguments else { return culvert_pac_value() }
            let texts = (0..<Int(count)).map { arguments[$0].map { String(cString: $0) } ?? "" }
            let caller = Unmanaged<Caller>.fromOpaque(context).takeUnretainedValue()
            return switch caller.call(Int(function), texts) {
            case .null: culvert_pac_value(kind: CULVERT_PAC_NULL, number: 0, text: nil)
            case .boolean(let value):
                culvert_pac_value(kind: CULVERT_PAC_BOOLEAN, number: value ? 1 : 0, text: nil)
            case .number(let value): culvert_pac_value(kind: CULVERT_PAC_NUMBER, number: value, text: nil)
            case .text(let value): culvert_pac_value(kind: CULVERT_PAC_TEXT, number: 0, text: strdup(value))
            }
        }
}
