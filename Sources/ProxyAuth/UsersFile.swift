/// The lines of a file of users or tokens.
enum UsersFile {
    struct Line {
        let number: Int
        let text: Substring

        func error(_ problem: String) -> UserTableError {
            UserTableError(line: self.number, problem: problem)
        }

        func nameAndRest(expecting form: String) throws(UserTableError) -> (name: String, rest: String) {
            guard let colon = self.text.firstIndex(of: ":"), colon != self.text.startIndex else {
                throw self.error("expected \(form)")
            }
            return (String(self.text[..<colon]), String(self.text[self.text.index(after: colon)...]))
        }
    }

    /// Without the empty ones and the comments.
    static func lines(of text: String) -> [Line] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
            .map { Line(number: $0.offset + 1, text: $0.element) }
            .filter { !$0.text.isEmpty && $0.text.first != "#" }
    }
}

/// A file of users or tokens that cannot be read as one.
public struct UserTableError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line, counted from 1.
    public let line: Int
    /// What is wrong with it.
    public let problem: String

    /// The line and the problem.
    public var description: String { "line \(self.line): \(self.problem)" }
}
