/// What a relay has to say of its tunnel once both directions have ended.
struct RelayOutcome: Sendable {
    /// Nil while nobody has ended anything.
    private(set) var closedBy: AccessLogEntry.Closer?
    private(set) var reason = ""

    /// Who was first is what counts; what follows from it is not told.
    mutating func ended(by closer: AccessLogEntry.Closer, reason: String) {
        guard self.closedBy == nil else { return }
        self.closedBy = closer
        self.reason = reason
    }
}
