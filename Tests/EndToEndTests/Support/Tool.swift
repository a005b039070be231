import Foundation
import Testing

/// A program from outside that some tests need; Tests/install.sh brings all of them.
enum Tool: String, CaseIterable, Sendable {
    case curl, git, openssl, ssh, sshd, node, python3, squid, tinyproxy, apache2, cntlm, krb5kdc, kinit
    case microsocks, danted, nc, haproxy, chromium
    case systemdSocketActivate = "systemd-socket-activate"
    case systemdAnalyze = "systemd-analyze"
    case wget, slowhttptest, wrk, h2load
    case aptGet = "apt-get"

    /// Absolute where that matters: sshd refuses to be started by name.
    var path: String? {
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(
            String.init)
        return (directories + ["/usr/sbin", "/sbin"])
            .map { "\($0)/\(self.rawValue)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static var areRequired: Bool { ProcessInfo.processInfo.environment["CI"] != nil }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test where a tool is missing; with `CI` in the environment it runs and fails instead, because there
    /// a test that is not run must not pass for one that is.
    static func requires(_ tools: Tool...) -> Self {
        let missing = tools.filter { $0.path == nil }.map(\.rawValue)
        return .enabled(
            if: missing.isEmpty || Tool.areRequired,
            "needs \(missing.joined(separator: ", ")): run Tests/install.sh")
    }
}
