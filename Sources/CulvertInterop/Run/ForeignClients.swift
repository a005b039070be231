import Foundation

/// Other makers' clients, through `culvert proxy` to our origin.
package struct ForeignClients: Sendable {
    /// The matrix they are shown in.
    package static let section = "clients"

    private let pool: PeerPool
    /// What their commands are told besides a peer's placeholders, by recipe.
    private let arguments: @Sendable (ClientRecipe) async throws -> [String: String]
    private let timeLimit: Duration
    private let onResult: @Sendable (CheckResult) -> Void

    package init(
        pool: PeerPool, timeLimit: Duration,
        arguments: @escaping @Sendable (ClientRecipe) async throws -> [String: String],
        onResult: @escaping @Sendable (CheckResult) -> Void = { _ in }
    ) {
        self.pool = pool
        self.timeLimit = timeLimit
        self.arguments = arguments
        self.onResult = onResult
    }

    package static func layout(_ recipes: [ClientRecipe]) -> Report.Section {
        var columns: [String] = []
        for check in recipes.flatMap(\.checks) where !columns.contains(check) { columns.append(check) }
        return Report.Section(
            name: self.section, title: "Other makers' clients through culvert proxy to our origin",
            rows: recipes.map(\.peer.title), columns: columns)
    }

    package func run(_ recipes: [ClientRecipe]) async throws -> [CheckResult] {
        var results: [CheckResult] = []
        for recipe in recipes {
            try Task.checkCancellation()
            let start = ContinuousClock.now
            let verdicts = await self.verdicts(recipe)
            let duration = ContinuousClock.now - start
            for (check, verdict) in verdicts {
                let result = CheckResult(
                    section: Self.section, row: recipe.peer.title, column: check, client: recipe.peer.name,
                    variant: recipe.isDirect ? "direct" : "", verdict: verdict, duration: duration)
                results.append(result)
                self.onResult(result)
            }
        }
        return results
    }

    private func verdicts(_ recipe: ClientRecipe) async -> [(String, Verdict)] {
        func all(_ verdict: Verdict) -> [(String, Verdict)] { recipe.checks.map { ($0, verdict) } }
        guard await self.pool.version(of: recipe.peer) != nil else {
            return all(.unavailable(.missing, "\(recipe.peer.title) is missing: \(recipe.peer.packages)"))
        }
        do {
            let result = try await self.pool.run(
                recipe.peer, try await self.arguments(recipe), within: self.timeLimit)
            return Self.read(result, recipe.checks)
        } catch {
            return all(.fail(.other, "\(error)"))
        }
    }

    /// What a client said, line by line. A check that it did not speak of is a failure: it may not pass unseen.
    package static func read(_ result: CommandResult, _ checks: [String]) -> [(String, Verdict)] {
        var said: [String: Verdict] = [:]
        for line in result.text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count >= 2 else { continue }
            // A failure stays one, whatever is said later.
            if words[0] == "fail" {
                said[words[1]] = .fail(.mismatch, words.count > 2 ? words[2] : "without a reason")
            } else if words[0] == "pass", said[words[1]] == nil {
                said[words[1]] = .pass
            }
        }
        return checks.map { check in
            if result.status != 0, said[check] == .pass || said[check] == nil {
                return (
                    check, .fail(.other, "it ended with status \(result.status): \(result.lastErrorLine)")
                )
            }
            return (check, said[check] ?? .fail(.other, "it said nothing of it: \(result.lastErrorLine)"))
        }
    }
}
