/// A password or token. It prints as `<redacted>` wherever it is interpolated, dumped or logged; only
/// ``reveal()`` gives the text.
public struct Secret: Sendable, Hashable, ExpressibleByStringLiteral {
    private let text: String

    /// Wraps the text of a password or token.
    public init(_ text: String) {
        self.text = text
    }

    /// Wraps a literal, for tests and examples.
    public init(stringLiteral value: String) {
        self.text = value
    }

    /// The secret itself: for the bytes on the wire, never for a message.
    package func reveal() -> String {
        self.text
    }

    /// Compares in time that depends on the length of `other` alone.
    public static func == (lhs: Secret, rhs: Secret) -> Bool {
        ConstantTime.equal(lhs.text.utf8, rhs.text.utf8)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `<redacted>`.
    public var description: String { "<redacted>" }

    /// Always `<redacted>`.
    public var debugDescription: String { "<redacted>" }

    /// No children, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
