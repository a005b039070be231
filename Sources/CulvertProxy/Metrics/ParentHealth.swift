/// What dialling through one parent proxy has shown of it.
package struct ParentHealth: Sendable, Hashable {
    /// The parent's URL, without credentials.
    package var parent: String
    package var successes: UInt64 = 0
    /// Failures that are the parent's: it could not be reached, did not speak HTTP or TLS, or refused us. That the
    /// target behind it could not be reached is none.
    package var failures: UInt64 = 0
    package var failuresInARow: UInt64 = 0
    package var lastError: String?
    /// In seconds since 1970.
    package var lastSuccess: Double?
    package var lastFailure: Double?
    /// How much longer other ways are tried before it, because it could not be reached; nil when they are not.
    package var avoided: Duration?

    package init(parent: String) {
        self.parent = parent
    }

    /// Nil before the first dial.
    package var isUp: Bool? {
        self.successes == 0 && self.failures == 0 ? nil : self.failuresInARow == 0
    }

    mutating func succeeded(at now: Double) {
        self.successes &+= 1
        self.failuresInARow = 0
        self.lastSuccess = now
    }

    mutating func failed(_ error: String, at now: Double) {
        self.failures &+= 1
        self.failuresInARow &+= 1
        self.lastError = error
        self.lastFailure = now
    }
}
