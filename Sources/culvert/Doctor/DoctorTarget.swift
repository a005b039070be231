import ArgumentParser
import CulvertTunnel
import HTTPWire

/// What the doctor tries to reach.
struct DoctorTarget: ExpressibleByArgument {
    let scheme: EnvironmentProxies.TargetScheme
    let authority: Authority
    /// As it was given, without what stands before an @ in it.
    let text: String

    /// Exists for tests and documents (RFC 2606), and answers.
    static let standard: DoctorTarget = {
        guard let target = DoctorTarget(argument: "https://example.com/") else {
            preconditionFailure("a constant that its own parser reads")
        }
        return target
    }()

    init?(argument: String) {
        guard let separator = argument.firstRange(of: "://"),
            let scheme = EnvironmentProxies.TargetScheme(
                rawValue: argument[..<separator.lowerBound].lowercased())
        else { return nil }
        let rest = argument[separator.upperBound...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        guard let authority = try? Authority(rest[..<end], defaultPort: scheme.defaultPort) else {
            return nil
        }
        self.scheme = scheme
        self.authority = authority
        self.text = argument
    }

    var defaultValueDescription: String { self.text }

    var isSecure: Bool { self.scheme.isSecure }
    var isWebSocket: Bool { self.scheme == .wss || self.scheme == .ws }
}
