/// Turns each source into entries by key; the sources differ in form only.
enum ConfigurationSources {
    /// Variables named after a setting. Others are left alone: a cluster sets `CULVERT_PORT` and its like by itself.
    static func entries(environment: [String: String]) -> [ConfigurationEntry] {
        ConfigurationKey.all.compactMap { key in
            guard let text = environment[key.variable] else { return nil }
            let place = ConfigurationError.Place.environment(key.variable)
            guard key.kind == .list else {
                return ConfigurationEntry(key: key.name, value: .text(text), place: place)
            }
            let items = text.split(separator: key.separator).map { item in
                ConfigurationEntry(key: key.name, value: .text(self.trimmed(item)), place: place)
            }
            return ConfigurationEntry(key: key.name, value: .list(items), place: place)
        }
    }

    static func entries(flags: [String: [String]]) throws(ConfigurationError) -> [ConfigurationEntry] {
        var entries: [ConfigurationEntry] = []
        for (name, values) in flags.sorted(by: { $0.key < $1.key }) where !values.isEmpty {
            let place = ConfigurationError.Place.flag("--\(name)")
            guard let key = ConfigurationKey.named(name) else {
                throw ConfigurationError(place: place, key: name, problem: "there is no such setting")
            }
            let items = values.map { ConfigurationEntry(key: name, value: .text($0), place: place) }
            entries.append(
                key.kind == .list
                    ? ConfigurationEntry(key: name, value: .list(items), place: place)
                    : items[items.count - 1])
        }
        return entries
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text.drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
