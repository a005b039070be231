/// The users a proxy lets in, with their passwords.
public struct UserTable: Sendable {
    private var passwords: [String: Secret]

    /// A table from names to passwords.
    public init(_ passwords: [String: Secret]) {
        self.passwords = passwords
    }

    /// Reads one `name:password` per line; empty lines and lines that start with `#` are skipped.
    ///
    /// - Throws: ``UserTableError`` that names the line, never its content.
    public init(parsing text: String) throws(UserTableError) {
        self.passwords = [:]
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            if line.isEmpty || line.first == "#" { continue }
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
                throw UserTableError(line: index + 1, problem: "expected name:password")
            }
            let name = String(line[..<colon])
            guard self.passwords[name] == nil else {
                throw UserTableError(line: index + 1, problem: "this name stands in an earlier line too")
            }
            self.passwords[name] = Secret(String(line[line.index(after: colon)...]))
        }
    }

    /// The number of users.
    public var count: Int { self.passwords.count }

    /// The user's name when the `Proxy-Authorization` value holds a known user with the right password.
    ///
    /// An unknown user costs the same comparison as a known one, so that timing does not list the users.
    package func verify(authorization fieldValue: String?) -> String? {
        guard let fieldValue, let given = BasicScheme.credentials(in: fieldValue) else { return nil }
        let expected = self.passwords[given.user]
        let matches = (expected ?? Secret("")) == given.password
        return expected != nil && matches ? given.user : nil
    }
}

/// A users file that cannot be read as one.
public struct UserTableError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line, counted from 1.
    public let line: Int
    /// What is wrong with it.
    public let problem: String

    /// The line and the problem.
    public var description: String { "line \(self.line): \(self.problem)" }
}
