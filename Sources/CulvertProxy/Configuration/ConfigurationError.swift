/// A setting that cannot be used: where it stands, its key and what is wrong.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where a setting stands.
    public enum Place: Hashable, Sendable, CustomStringConvertible {
        /// A line of a file, counted from 1.
        case file(String, line: Int)
        /// A flag of the command line, with its dashes.
        case flag(String)
        /// A variable of the environment.
        case environment(String)
        /// Set by the program itself.
        case program

        /// The place as an error begins with it.
        public var description: String {
            switch self {
            case .file(let path, let line): line > 0 ? "\(path):\(line)" : path
            case .flag(let name), .environment(let name): name
            case .program: "configuration"
            }
        }
    }

    /// Where the setting stands.
    public let place: Place
    /// The key, where the problem has one.
    public let key: String?
    /// What is wrong, and what was expected.
    public let problem: String

    /// Place, key and problem: `culvert.yaml:12: head-timeout: '30x' is no duration`.
    public var description: String {
        guard let key, case .file = self.place else { return "\(self.place): \(self.problem)" }
        return "\(self.place): \(key): \(self.problem)"
    }
}
