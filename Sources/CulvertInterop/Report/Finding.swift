/// Checks of one section that came out alike, told once: one failure or one reason, and exactly where it was met.
package struct Finding: Sendable, Hashable {
    /// The title of the section.
    package let section: String
    package let verdict: Verdict
    package let rows: [String]
    /// Empty when it is every check of these rows.
    package let columns: [String]
    /// Empty when it is all that ran there.
    package let runners: [Runner]
    /// How many checks.
    package let count: Int
}

extension Verdict {
    /// The cause or reason in words; nil for a pass.
    package var reason: String? {
        switch self {
        case .pass: nil
        case .fail(let cause, let detail): "\(InteropFailure(cause, detail))"
        case .unavailable(let kind, let why): "\(kind.rawValue): \(why)"
        }
    }
}

/// A client with its variant: `culvert (wss)`.
package struct Runner: Sendable, Hashable, CustomStringConvertible {
    package let client: String
    package let variant: String

    package var description: String { [self].text }
}

extension [Runner] {
    /// Each client once: `culvert (ws, wss), libcurl (wss)`.
    package var text: String {
        self.map(\.client).uniqued.map { client in
            let variants = self.filter { $0.client == client }.map(\.variant).filter { !$0.isEmpty }
            return variants.isEmpty ? client : "\(client) (\(variants.joined(separator: ", ")))"
        }.joined(separator: ", ")
    }
}

extension CheckResult {
    package var runner: Runner { Runner(client: self.client, variant: self.variant) }
}

extension Report {
    /// The checks that failed.
    package var failures: [Finding] {
        self.findings { if case .fail = $0 { true } else { false } }
    }

    /// The checks that could not be tried.
    package var unavailabilities: [Finding] {
        self.findings { if case .unavailable = $0 { true } else { false } }
    }

    /// Groups what was met; each finding is true of every row, column and runner it names.
    private func findings(where isWanted: (Verdict) -> Bool) -> [Finding] {
        self.matrices.flatMap { matrix in
            let wanted = Groups(matrix.results.filter { isWanted($0.verdict) }, by: \.verdict)
            return wanted.groups.flatMap { matrix.findings($0.key, in: $0.members) }
        }
    }
}

extension Matrix {
    /// Where a verdict was met: in these columns, by these runners.
    private struct Extent: Hashable {
        var columns: [String]
        var runners: [Runner]
        var isAllRunners: Bool
    }

    private struct Runners: Hashable {
        var members: [Runner]
        var isAll: Bool
    }

    fileprivate func findings(_ verdict: Verdict, in results: [CheckResult]) -> [Finding] {
        let extents = Groups(results, by: \.row).groups.flatMap { row in
            self.extents(row.key, row.members).map { (row: row.key, extent: $0) }
        }
        return Groups(extents, by: \.extent).groups.map { group in
            let rows = group.members.map(\.row)
            let isAllColumns = rows.allSatisfy { self.columns(of: $0) == group.key.columns }
            return Finding(
                section: self.title, verdict: verdict, rows: rows,
                columns: isAllColumns && group.key.columns.count > 1 ? [] : group.key.columns,
                runners: group.key.isAllRunners ? [] : group.key.runners,
                count: rows.count * group.key.columns.count * group.key.runners.count)
        }
    }

    /// The columns of a row, put together where the same runners met the verdict.
    private func extents(_ row: String, _ results: [CheckResult]) -> [Extent] {
        let columns = Groups(results, by: \.column).groups.map { column in
            (
                column: column.key,
                runners: Runners(
                    members: column.members.map(\.runner),
                    isAll: column.members.count == self[row, column.key]?.results.count)
            )
        }
        return Groups(columns, by: \.runners).groups.map { group in
            Extent(
                columns: group.members.map(\.column), runners: group.key.members,
                isAllRunners: group.key.isAll)
        }
    }

    /// The columns in which a row has a result.
    private func columns(of row: String) -> [String] {
        self.columns.filter { self[row, $0] != nil }
    }
}

/// Elements put together by a key, in the order the keys first appear.
private struct Groups<Key: Hashable, Element> {
    private(set) var groups: [(key: Key, members: [Element])] = []

    init(_ elements: [Element], by key: (Element) -> Key) {
        var indexes: [Key: Int] = [:]
        for element in elements {
            let key = key(element)
            if let index = indexes[key] {
                self.groups[index].members.append(element)
            } else {
                indexes[key] = self.groups.count
                self.groups.append((key, [element]))
            }
        }
    }
}
