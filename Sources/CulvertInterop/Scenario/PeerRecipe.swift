/// How a program of another maker is found and started.
///
/// Its texts hold placeholders: `{port}`, `{dir}`, `{peers}`, `{python}`, `{culvert}`, `{ca}`, `{cert}`, `{key}`, `{upstream}`.
package struct PeerRecipe: Decodable, Sendable, Hashable {
    /// Unique: what the command line and reports call it.
    package let name: String
    /// As a person knows it.
    package let title: String
    /// What to install when it is missing.
    package let packages: String
    /// Prints the version; when it cannot be run or fails, the peer is missing.
    package let version: [String]
    /// Run to their ends before `command`.
    package let prepare: [[String]]
    /// Files of `{dir}`, and the templates they are made from.
    package let files: [String: String]
    package let command: [String]
    package let environment: [String: String]
    /// Gives up root for nobody where we are root.
    package let isUnprivileged: Bool
    /// How long it is left alone after it first accepts: some accept before they are ready.
    package let settling: Duration
    /// What a user of the peer should know.
    package let note: String?

    /// Whether it is our own program.
    var isOurs: Bool { self.command[0] == "{culvert}" }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, title, packages, version, prepare, files, command, environment, rights, settle, note
    }

    package init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: CodingKeys.self)
        self.name = try object.decode(String.self, forKey: .name)
        self.title = try object.decode(String.self, forKey: .title)
        self.packages = try object.decode(String.self, forKey: .packages)
        self.version = try object.decode([String].self, forKey: .version)
        self.prepare = try object.decode(.prepare, default: [])
        self.files = try object.decode(.files, default: [:])
        self.command = try object.decode([String].self, forKey: .command)
        self.environment = try object.decode(.environment, default: [:])
        self.note = try object.decodeIfPresent(String.self, forKey: .note)
        self.settling = .milliseconds(Int(1000 * (try object.decode(.settle, default: 0.0))))
        let rights = try object.decodeIfPresent(Rights.self, forKey: .rights)
        self.isUnprivileged = rights == .nobody
        guard !self.command.isEmpty, !self.version.isEmpty else {
            throw DecodingError.dataCorruptedError(
                forKey: .command, in: object,
                debugDescription: "\(self.name): version and command name a program each")
        }
    }

    private enum Rights: String, Decodable {
        case nobody
    }
}
