/// What the evaluating process is asked.
package struct PACQuestion: Sendable, Codable {
    package var script: String
    package var url: String
    package var host: String
    /// For the script and its values, in bytes.
    package var memoryLimit: Int
    /// Of the processor.
    package var seconds: Int

    package init(script: String, url: String, host: String, memoryLimit: Int, seconds: Int) {
        self.script = script
        self.url = url
        self.host = host
        self.memoryLimit = memoryLimit
        self.seconds = seconds
    }
}

/// What the evaluating process answers.
package struct PACAnswer: Sendable, Codable {
    /// What `FindProxyForURL` returned; nil when the script failed.
    package var result: String?
    /// The JavaScript error.
    package var error: String?
    /// Where it happened, counted from 1; nil where the engine does not say.
    package var line: Int?
    /// What the script told by `alert`.
    package var alerts: [String] = []

    package init(result: String? = nil, error: String? = nil, line: Int? = nil) {
        self.result = result
        self.error = error
        self.line = line
    }
}
