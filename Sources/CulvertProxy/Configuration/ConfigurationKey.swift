import ProxyPolicy

/// One setting of the proxy, under one name in the configuration file, as a flag and in the environment.
public struct ConfigurationKey: Sendable {
    /// What a value looks like, for the help.
    public enum Kind: Sendable, Hashable {
        case one
        case list
        case boolean
    }

    typealias Apply = @Sendable (inout ProxySettings, ConfigurationEntry) throws(ConfigurationError) -> Void

    /// The key in the file; `--name` as a flag, `CULVERT_NAME` in the environment, with underscores.
    public let name: String
    /// One sentence for the help.
    public let summary: String
    /// What stands for the value in the help.
    public let valueName: String
    /// One value, a list or a yes or no.
    public let kind: Kind
    /// What counts without it, as text; nil for nothing.
    public let defaultText: String?
    /// Whether a reload takes a new value; otherwise only a restart does.
    public private(set) var isReloadable = true
    /// Separates the items of a list in the environment.
    private(set) var separator: Character = ","
    let apply: Apply

    init(
        _ name: String, _ valueName: String, _ summary: String, kind: Kind = .one,
        default defaultText: String? = nil, apply: @escaping Apply
    ) {
        self.name = name
        self.valueName = valueName
        self.summary = summary
        self.kind = kind
        self.defaultText = defaultText
        self.apply = apply
    }

    /// The variable of the environment.
    public var variable: String {
        "CULVERT_" + self.name.uppercased().replacing("-", with: "_")
    }

    /// Marks a setting that a reload leaves as it is.
    var needingRestart: ConfigurationKey {
        var key = self
        key.isReloadable = false
        return key
    }

    func separated(by separator: Character) -> ConfigurationKey {
        var key = self
        key.separator = separator
        return key
    }
}

// MARK: Kinds of settings

extension ConfigurationKey {
    typealias Path<Value> = any WritableKeyPath<ProxySettings, Value> & Sendable

    static func duration(_ name: String, _ path: Path<Duration>, _ summary: String) -> Self {
        .init(
            name, "duration", summary,
            default: ConfigurationUnits.text(ProxySettings()[keyPath: path])
        ) { (settings, entry) throws(ConfigurationError) in
            settings[keyPath: path] = try entry.parsed(
                "duration; expected 30, 30s, 500ms, 10m or 1h", ConfigurationUnits.duration)
        }
    }

    static func bytes(
        _ name: String, _ path: Path<Int>, in range: ClosedRange<Int>, _ summary: String
    ) -> Self {
        .init(
            name, "bytes", summary,
            default: ConfigurationUnits.text(byteCount: ProxySettings()[keyPath: path])
        ) { (settings, entry) throws(ConfigurationError) in
            let count = try entry.parsed(
                "number of bytes; expected 16384, 16KiB or 1M", ConfigurationUnits.byteCount)
            guard range.contains(count) else {
                throw entry.error("\(count) bytes are not from \(range.lowerBound) to \(range.upperBound)")
            }
            settings[keyPath: path] = count
        }
    }

    static func number(
        _ name: String, _ path: Path<Int>, in range: ClosedRange<Int>, _ summary: String
    ) -> Self {
        .init(name, "number", summary, default: String(ProxySettings()[keyPath: path])) {
            (settings, entry) throws(ConfigurationError) in
            settings[keyPath: path] = try entry.integer(in: range)
        }
    }

    /// A number that is unlimited until it is set.
    static func limit(
        _ name: String, _ path: Path<Int?>, in range: ClosedRange<Int>, _ summary: String
    ) -> Self {
        .init(name, "number", summary) { (settings, entry) throws(ConfigurationError) in
            settings[keyPath: path] = try entry.integer(in: range)
        }
    }

    /// Requests in a time, unlimited until it is set.
    static func rate(_ name: String, _ path: Path<RequestRate?>, _ summary: String) -> Self {
        .init(name, "count/s|m|h", summary) { (settings, entry) throws(ConfigurationError) in
            settings[keyPath: path] = try entry.parsed("rate; expected 10/s, 600/m or 5000/h") {
                RequestRate($0)
            }
        }
    }

    /// Bytes a second, unlimited until it is set. Below 1 KiB one read would hold a tunnel up for longer than most
    /// clients wait.
    static func bandwidth(_ name: String, _ path: Path<Int?>, _ summary: String) -> Self {
        .init(name, "bytes", summary) { (settings, entry) throws(ConfigurationError) in
            let count = try entry.parsed(
                "number of bytes; expected 125000, 512KiB or 2MB", ConfigurationUnits.byteCount)
            guard count >= 1024 else { throw entry.error("\(count) bytes a second are less than 1024") }
            settings[keyPath: path] = count
        }
    }

    static func boolean(_ name: String, _ path: Path<Bool>, _ summary: String) -> Self {
        .init(name, "yes|no", summary, kind: .boolean, default: ProxySettings()[keyPath: path] ? "yes" : "no")
        {
            (settings, entry) throws(ConfigurationError) in
            settings[keyPath: path] = try entry.boolean()
        }
    }

    static func choice<Choice>(_ name: String, _ path: Path<Choice>, _ summary: String) -> Self
    where Choice: RawRepresentable & CaseIterable & Sendable, Choice.RawValue == String {
        .init(
            name, Choice.allCases.map(\.rawValue).joined(separator: "|"), summary,
            default: ProxySettings()[keyPath: path].rawValue
        ) { (settings, entry) throws(ConfigurationError) in
            settings[keyPath: path] = try entry.choice(Choice.self)
        }
    }

    static func text(_ name: String, _ path: Path<String>, _ valueName: String, _ summary: String) -> Self {
        .init(name, valueName, summary, default: ProxySettings()[keyPath: path]) {
            (settings, entry) throws(ConfigurationError) in
            settings[keyPath: path] = try entry.text()
        }
    }

    /// A file that is read once every key is known; the entry is kept to say where its name stands.
    static func file(_ name: String, _ path: Path<ConfigurationEntry?>, _ summary: String) -> Self {
        .init(name, "file", summary) { (settings, entry) throws(ConfigurationError) in
            guard !(try entry.text()).isEmpty else { throw entry.error("expected the name of a file") }
            settings[keyPath: path] = entry
        }
    }

    static func list(
        _ name: String, _ valueName: String, _ summary: String, default defaultText: String? = nil,
        apply: @escaping Apply
    ) -> Self {
        .init(name, valueName, summary, kind: .list, default: defaultText, apply: apply)
    }
}
