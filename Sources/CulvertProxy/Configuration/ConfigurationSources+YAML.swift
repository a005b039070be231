import Yams

extension ConfigurationSources {
    /// More than any list of rules needs; an alias that repeats itself a billion times ends here.
    private static let maxValues = 100_000

    /// - Throws: ``ConfigurationError`` with the line, also for a key that no setting has, or that stands twice.
    static func entries(
        yaml text: String, path: String
    ) throws(ConfigurationError) -> [String: ConfigurationEntry] {
        guard let root = try self.compose(text, path: path) else { return [:] }
        // A file of comments alone.
        if case .scalar(let scalar) = root, scalar.string.isEmpty { return [:] }
        var reader = YAMLReader(path: path, remaining: self.maxValues)
        guard case .mapping(let mapping) = root else {
            throw ConfigurationError(
                place: reader.place(of: root), key: nil, problem: "expected 'key: value' lines")
        }
        var entries: [String: ConfigurationEntry] = [:]
        for (keyNode, valueNode) in mapping {
            let name = try reader.name(keyNode)
            guard ConfigurationKey.named(name) != nil else {
                throw ConfigurationError(
                    place: reader.place(of: keyNode), key: name, problem: self.unknown(name))
            }
            entries[name] = try reader.entry(valueNode, key: name)
        }
        return entries
    }

    private static func compose(_ text: String, path: String) throws(ConfigurationError) -> Node? {
        do {
            return try Yams.compose(yaml: text, .default, .default, .utf8)
        } catch {
            throw ConfigurationError(yaml: error, in: text, path: path)
        }
    }

    private static func unknown(_ name: String) -> String {
        let near = ConfigurationKey.all.map(\.name).filter { name.distance(to: $0) <= 3 }
            .min { name.distance(to: $0) < name.distance(to: $1) }
        return "there is no such setting" + (near.map { "; did you mean \($0)?" } ?? "")
    }
}

/// Turns YAML's nodes into entries. Every scalar is a text: `on`, `1.10` and `0777` mean what the setting says.
private struct YAMLReader {
    let path: String
    var remaining: Int

    func place(of node: Node) -> ConfigurationError.Place {
        .file(self.path, line: node.mark?.line ?? 0)
    }

    func name(_ node: Node) throws(ConfigurationError) -> String {
        guard case .scalar(let scalar) = node else {
            throw ConfigurationError(place: self.place(of: node), key: nil, problem: "a key must be a text")
        }
        return scalar.string
    }

    mutating func entry(_ node: Node, key: String) throws(ConfigurationError) -> ConfigurationEntry {
        self.remaining -= 1
        guard self.remaining >= 0 else {
            throw ConfigurationError(place: self.place(of: node), key: key, problem: "too many values")
        }
        return ConfigurationEntry(
            key: key, value: try self.value(node, key: key), place: self.place(of: node))
    }

    private mutating func value(
        _ node: Node, key: String
    ) throws(ConfigurationError) -> ConfigurationEntry.Value {
        switch node {
        case .scalar(let scalar):
            guard scalar.style != .plain || !["", "~", "null"].contains(scalar.string) else {
                throw ConfigurationError(place: self.place(of: node), key: key, problem: "has no value")
            }
            return .text(scalar.string)
        case .sequence(let sequence):
            var items: [ConfigurationEntry] = []
            for item in sequence { items.append(try self.entry(item, key: key)) }
            return .list(items)
        case .mapping(let mapping):
            var members: [ConfigurationEntry.Member] = []
            for (name, value) in mapping {
                let member = try self.name(name)
                members.append(.init(name: member, entry: try self.entry(value, key: "\(key).\(member)")))
            }
            return .mapping(members)
        case .alias:
            throw ConfigurationError(
                place: self.place(of: node), key: key, problem: "an alias without anchor")
        }
    }
}

extension ConfigurationError {
    fileprivate init(yaml error: any Error, in text: String, path: String) {
        let (problem, line): (String, Int) =
            switch error {
            case YamlError.scanner(_, let problem, let mark, _),
                YamlError.parser(_, let problem, let mark, _):
                (problem, mark.line)
            case YamlError.composer(_, _, let mark, _): ("expected one document, not several", mark.line)
            case YamlError.duplicatedKeysInMapping(let keys, let context):
                (
                    "\(keys.sorted().joined(separator: ", ")) stands twice",
                    Self.lineOfRepetition(of: keys, in: text, from: context.mark.line)
                )
            case YamlError.reader(let problem, _, _, _): (problem, 0)
            default: ("is not YAML", 0)
            }
        self.init(place: .file(path, line: line), key: nil, problem: problem)
    }

    /// The parser tells where the mapping begins; whoever looks for the mistake wants the second of the keys.
    private static func lineOfRepetition(of keys: [String], in text: String, from first: Int) -> Int {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let found = lines.indices.dropFirst(first - 1).filter { index in
            let line = lines[index].drop { $0 == " " || $0 == "-" }
            return keys.contains { line.hasPrefix($0) && line.dropFirst($0.count).first == ":" }
        }
        return found.count > 1 ? found[1] + 1 : first
    }
}

extension String {
    /// How many letters to insert, drop or replace (Levenshtein).
    fileprivate func distance(to other: String) -> Int {
        let target = Array(other.prefix(64))
        var row = Array(0...target.count)
        for (index, letter) in self.prefix(64).enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in target.indices {
                let replaced = diagonal + (letter == target[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = Swift.min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[target.count]
    }
}
