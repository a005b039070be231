/// A value as one of the sources gave it, with its place: texts, lists of them and mappings, nothing typed yet.
struct ConfigurationEntry: Sendable, Hashable {
    indirect enum Value: Sendable, Hashable {
        case text(String)
        case list([ConfigurationEntry])
        case mapping([Member])
    }

    struct Member: Sendable, Hashable {
        let name: String
        let entry: ConfigurationEntry
    }

    let key: String
    let value: Value
    let place: ConfigurationError.Place

    func error(_ problem: String) -> ConfigurationError {
        ConfigurationError(place: self.place, key: self.key, problem: problem)
    }

    // MARK: One value

    func text() throws(ConfigurationError) -> String {
        guard case .text(let text) = self.value else { throw self.error("expected one value") }
        return text
    }

    /// The text read by a failable initialiser.
    func parsed<Output>(
        _ expected: String, _ parse: (String) -> Output?
    ) throws(ConfigurationError) -> Output {
        let text = try self.text()
        guard let output = parse(text) else {
            throw self.error("'\(Self.shown(text))' is no \(expected)")
        }
        return output
    }

    func integer(in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        let number = try self.parsed("whole number") { $0.utf8.allSatisfy(Self.isNumeral) ? Int($0) : nil }
        guard range.contains(number) else {
            throw self.error("\(number) is not from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func boolean() throws(ConfigurationError) -> Bool {
        try self.parsed("yes or no") { text in
            switch text.lowercased() {
            case "true", "yes", "on": true
            case "false", "no", "off": false
            default: nil
            }
        }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ type: Choice.Type
    ) throws(ConfigurationError) -> Choice where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return try self.parsed("choice; expected one of: \(names)") { Choice(rawValue: $0) }
    }

    // MARK: Several values

    /// The items of a list; one text is a list of one.
    func items() throws(ConfigurationError) -> [ConfigurationEntry] {
        switch self.value {
        case .list(let items): return items
        case .text: return [self]
        case .mapping: throw self.error("expected a list")
        }
    }

    func each<Output>(
        _ transform: (ConfigurationEntry) throws(ConfigurationError) -> Output
    ) throws(ConfigurationError) -> [Output] {
        var outputs: [Output] = []
        for item in try self.items() { outputs.append(try transform(item)) }
        return outputs
    }

    func members() throws(ConfigurationError) -> [Member] {
        guard case .mapping(let members) = self.value else {
            throw self.error("expected 'name: value' pairs")
        }
        return members
    }

    private static func isNumeral(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// As much of a value as a message needs.
    static func shown(_ text: String) -> String {
        String(text.prefix(80))
    }
}
