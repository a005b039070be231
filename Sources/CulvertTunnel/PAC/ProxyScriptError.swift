import ProxyRoutes

/// A proxy auto-configuration script that could not be read, or gave no usable answer.
public struct ProxyScriptError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: Sendable, Hashable {
        /// The file or URL cannot be read, or is no text.
        case unreadable
        /// The script has an error, or its answer names no way.
        case failed
        /// It did not end in time, or took more memory than it may.
        case killed
        /// The evaluating program cannot be started.
        case noEvaluator
    }

    /// What went wrong.
    public let code: Code
    /// The script's path or URL.
    public let script: String
    /// The line of the error, counted from 1; nil where none is known.
    public let line: Int?
    /// One sentence for a person.
    public let detail: String

    init(_ code: Code, _ source: ProxyScriptSource, line: Int? = nil, _ detail: String) {
        self.code = code
        self.script = source.description
        self.line = line
        self.detail = detail
    }

    /// Script, line and detail: `proxy.pac:12: ReferenceError: identifier 'x' undefined`.
    public var description: String {
        "\(self.script)\(self.line.map { ":\($0)" } ?? ""): \(self.detail)"
    }
}
