/// A matrix that is not made of server, route and check.
protocol RunPart: Sendable {
    var section: Report.Section { get }
    /// Section and row of each result it will give; empty when it has nothing to do.
    var rows: [(section: String, row: String)] { get }

    /// - Parameter onResult: told each result as it comes.
    func run(_ onResult: @escaping @Sendable (CheckResult) -> Void) async throws -> [CheckResult]
}
