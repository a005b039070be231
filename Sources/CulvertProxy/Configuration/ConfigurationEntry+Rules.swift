import HTTPWire
import ProxyPolicy

/// Rules and roles as settings give them: mappings in a file, one line of words anywhere.
///
/// `{action: deny, name: no-mail, port: [25, 465-587]}` and `deny name=no-mail port=25,465-587` are the same rule.
extension ConfigurationEntry {
    /// - Parameter number: the rule's place in the list, counted from 1: its name where it has none.
    func rule(number: Int) throws(ConfigurationError) -> AccessRule {
        var members: [Member]
        if case .text(let text) = self.value {
            members = try self.ruleMembers(of: text)
        } else {
            members = try self.members()
        }
        guard let position = members.firstIndex(where: { $0.name == "action" }) else {
            throw self.error("a rule needs an action: allow or deny")
        }
        let action = try members.remove(at: position).entry.choice(AccessRule.Action.self)
        var rule = AccessRule(action, name: "rule \(number)")
        for member in members { try member.entry.apply(member.name, to: &rule) }
        return rule
    }

    /// `deny name=no-mail port=25,465-587` in parts.
    private func ruleMembers(of text: String) throws(ConfigurationError) -> [Member] {
        let words = text.split(whereSeparator: \.isWhitespace)
        var members: [Member] = []
        for (index, word) in words.enumerated() {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard index > 0, parts.count == 2 else {
                guard index == 0, parts.count == 1 else {
                    throw self.error(
                        "'\(Self.shown(text))' is no rule; expected: allow|deny condition=value,…")
                }
                members.append(Member(name: "action", entry: self.with(.text(String(word)))))
                continue
            }
            let items = parts[1].split(separator: ",").map { self.with(.text(String($0))) }
            members.append(Member(name: String(parts[0]), entry: self.with(.list(items))))
        }
        return members
    }

    private func with(_ value: Value) -> ConfigurationEntry {
        ConfigurationEntry(key: self.key, value: value, place: self.place)
    }

    private func apply(_ condition: String, to rule: inout AccessRule) throws(ConfigurationError) {
        switch condition {
        case "name": rule.name = try self.only().text()
        case "user":
            rule.users.formUnion(try self.each { (item) throws(ConfigurationError) in try item.text() })
        case "role":
            rule.roles.formUnion(try self.each { (item) throws(ConfigurationError) in try item.text() })
        case "client": rule.clients += try self.networks()
        case "method":
            rule.methods.formUnion(try self.each { (item) throws(ConfigurationError) in try item.method() })
        case "port": rule.ports += try self.each { (item) throws(ConfigurationError) in try item.ports() }
        case "host":
            rule.names += try self.each { (item) throws(ConfigurationError) in
                try item.parsed(
                    "name; expected example.com, .example.com or *.example.com; addresses go under to"
                ) {
                    NamePattern($0)
                }
            }
        case "to": rule.destinations += try self.networks()
        default:
            throw self.error(
                "'\(Self.shown(condition))' is no condition; expected name, user, role, client, method, port, host or to"
            )
        }
        if try self.isEmptyList { throw self.error("\(condition) has no value") }
    }

    private var isEmptyList: Bool {
        get throws(ConfigurationError) { try self.items().isEmpty }
    }

    /// The one item of a list that has only one.
    private func only() throws(ConfigurationError) -> ConfigurationEntry {
        let items = try self.items()
        guard items.count == 1 else { throw self.error("expected one value") }
        return items[0]
    }

    func networks() throws(ConfigurationError) -> [IPNetwork] {
        try self.each { (item) throws(ConfigurationError) in
            try item.parsed("network; expected 10.0.0.0/8, 2001:db8::/32 or an address") {
                IPNetwork(networkOrAddress: $0)
            }
        }
    }

    private func method() throws(ConfigurationError) -> String {
        try self.parsed("method; expected CONNECT, GET and the like") { text in
            text.utf8.allSatisfy(ASCII.isTokenCharacter) && !text.isEmpty ? text.uppercased() : nil
        }
    }

    /// `443` or `8000-8999`.
    private func ports() throws(ConfigurationError) -> ClosedRange<UInt16> {
        try self.parsed("port; expected 443 or 8000-8999") { text in
            let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { end in
                end.utf8.allSatisfy(ASCII.isDigit) ? UInt16(end) : nil
            }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first > 0, first <= last else {
                return nil
            }
            return first...last
        }
    }

    /// `admins=alice,bob`, or `admins: [alice, bob]` in a file.
    func roles() throws(ConfigurationError) -> [(role: String, users: Set<String>)] {
        if case .mapping(let members) = self.value {
            var roles: [(String, Set<String>)] = []
            for member in members {
                let users = try member.entry.each { (item) throws(ConfigurationError) in try item.text() }
                roles.append((member.name, Set(users)))
            }
            return roles
        }
        return try self.each { (item) throws(ConfigurationError) in
            try item.parsed("role; expected admins=alice,bob") { text in
                let parts = text.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { return nil }
                return (String(parts[0]), Set(parts[1].split(separator: ",").map(String.init)))
            }
        }
    }
}
