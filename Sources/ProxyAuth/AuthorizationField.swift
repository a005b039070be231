/// The parts of an `Authorization` or `Proxy-Authorization` value (RFC 9110 §11.4).
package struct AuthorizationField: Sendable, Hashable {
    /// In lower case.
    package let scheme: String
    /// What stands behind the scheme and the blanks there.
    package let credentials: Substring

    /// nil for a value without both.
    package init?(_ fieldValue: String) {
        let parts = fieldValue.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        self.scheme = parts[0].lowercased()
        self.credentials = parts[1].drop { $0 == " " }
    }
}
