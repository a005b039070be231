import Foundation
import HTTPWire
import Logging
import Testing

@testable import CulvertProxy

@Suite("The configuration of the proxy")
struct ConfigurationTests {
    private func load(
        _ yaml: String? = nil, environment: [String: String] = [:], flags: [String: [String]] = [:]
    ) throws -> ProxySettings {
        guard let yaml else { return try ProxySettings.load(environment: environment, flags: flags) }
        let path = NSTemporaryDirectory() + "culvert-\(UUID().uuidString).yaml"
        try Data(yaml.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try ProxySettings.load(file: path, environment: environment, flags: flags)
    }

    @Test("the file says what the library's properties say")
    func file() throws {
        let settings = try self.load(
            """
            # a comment
            listen: [127.0.0.1:0, "[::1]:8080"]
            connect-port: 443
            guard: on
            head-timeout: 1.5s
            idle-timeout: 2h
            max-head-bytes: 32KiB
            upstream:
              - http://alice:secret@parent.example:3128
            access-log: /var/log/culvert.log
            log-level: debug
            watch: no
            """)
        #expect(settings.proxy.listeners.map(\.description) == ["127.0.0.1:0", "[::1]:8080"])
        #expect(settings.proxy.policy.connectPorts == [443])
        #expect(settings.proxy.guardMode == .on)
        #expect(settings.proxy.headTimeout == .milliseconds(1500))
        #expect(settings.proxy.idleTimeout == .seconds(7200))
        #expect(settings.proxy.maxHeadBytes == 32768)
        #expect(settings.proxy.upstream.hops.first?.authority.description == "parent.example:3128")
        #expect(settings.accessLog == "/var/log/culvert.log")
        #expect(settings.logLevel == .debug)
        #expect(!settings.watchesFiles)
    }

    @Test("a rule as a mapping and as a line of words is the same, from every source")
    func rules() throws {
        let mapping = """
            rule:
              - {action: allow, name: web, user: [alice, bob], role: ops, client: 192.0.2.0/24, method: [get, CONNECT],
                 port: [443, 8000-8999], host: [.example.com, "*.test"], to: [198.51.100.0/24, "2001:db8::1"]}
              - {action: deny}
            rule-default: deny
            """
        let words =
            "allow name=web user=alice,bob role=ops client=192.0.2.0/24 method=GET,CONNECT port=443,8000-8999 "
            + "host=.example.com,*.test to=198.51.100.0/24,2001:db8::1/128"
        let expected = try self.load(mapping).proxy.policy
        #expect(expected.rules.map(\.name) == ["web", "rule 2"])
        let otherwise = ["rule-default": ["deny"]]
        #expect(try self.load("rule:\n  - \(words)\n  - deny\nrule-default: deny").proxy.policy == expected)
        #expect(
            try self.load(flags: ["rule": [words, "deny"]].merging(otherwise) { $1 }).proxy.policy == expected
        )
        let environment = ["CULVERT_RULE": "\(words); deny", "CULVERT_RULE_DEFAULT": "deny"]
        #expect(try self.load(environment: environment).proxy.policy == expected)
        let roles = ["ops": Set(["alice", "bob"]), "web": ["carol"]]
        #expect(try self.load("role: {ops: [alice, bob], web: carol}").proxy.roles == roles)
        #expect(try self.load(flags: ["role": ["ops=alice,bob", "web=carol"]]).proxy.roles == roles)
        #expect(try self.load(environment: ["CULVERT_ROLE": "ops=alice,bob;web=carol"]).proxy.roles == roles)
    }

    @Test("flags win over the environment, the environment over the file, lists as a whole")
    func precedence() throws {
        let yaml = "guard: on\nconnect-port: [1, 2, 3]\nrealm: file\n"
        let environment = ["CULVERT_GUARD": "off", "CULVERT_CONNECT_PORT": "443, 8443"]
        let settings = try self.load(yaml, environment: environment, flags: ["guard": ["auto"]])
        #expect(settings.proxy.guardMode == .auto)
        #expect(settings.proxy.policy.connectPorts == [443, 8443])
        #expect(settings.proxy.realm == "file")
    }

    @Test("an empty file, and one of comments, is every default")
    func empty() throws {
        for yaml in ["", "# nothing\n", "---\n"] {
            #expect(try self.load(yaml).proxy.listeners == [.loopback])
        }
    }

    @Test(
        "an error names the line, the key and what was expected",
        arguments: [
            (
                "guard: on\nhead-timeuot: 5s", 2,
                "head-timeuot: there is no such setting; did you mean head-timeout?"
            ),
            ("nonsense-of-all-kinds: 1", 1, "nonsense-of-all-kinds: there is no such setting"),
            ("guard: on\nrealm: a\nguard: off", 3, "guard stands twice"),
            (
                "listen:\n  - 127.0.0.1:1\n  - 127.0.0.1:65536", 3,
                "listen: '127.0.0.1:65536' is no place to listen; expected 127.0.0.1:3128, [::1]:3128, unix:/path or systemd"
            ),
            ("head-timeout:\nguard: on", 1, "head-timeout: has no value"),
            ("head-timeout: 0", 1, "head-timeout: '0' is no duration"),
            ("head-timeout: 1e9", 1, "head-timeout: '1e9' is no duration"),
            ("head-timeout: 9999999999", 1, "head-timeout: '9999999999' is no duration"),
            ("head-timeout: [1, 2]", 1, "head-timeout: expected one value"),
            ("max-head-bytes: 63", 1, "max-head-bytes: 63 bytes are not from 64 to 1048576"),
            ("max-head-bytes: 99999999999999G", 1, "max-head-bytes: '99999999999999G' is no number of bytes"),
            ("connect-port: 0", 1, "connect-port: 0 is not from 1 to 65535"),
            ("connect-port: https", 1, "connect-port: 'https' is no whole number"),
            ("guard: maybe", 1, "guard: 'maybe' is no choice; expected one of: auto, on, off"),
            ("watch: perhaps", 1, "watch: 'perhaps' is no yes or no"),
            ("rule: deny\nguard: on", 1, "rule: rules need rule-default: allow or deny"),
            ("rule-default: deny\nrule:\n  - deny port=0", 3, "rule: '0' is no port"),
            ("rule-default: deny\nrule:\n  - deny port=9-8", 3, "rule: '9-8' is no port"),
            (
                "rule-default: deny\nrule:\n  - refuse port=9", 3,
                "rule: 'refuse' is no choice; expected one of: allow, deny"
            ),
            ("rule-default: deny\nrule:\n  - deny\n  - port=9", 4, "rule: 'port=9' is no rule"),
            ("rule-default: deny\nrule:\n  - {port: 9}", 3, "rule: a rule needs an action: allow or deny"),
            (
                "rule-default: deny\nrule:\n  - {action: deny, prot: 9}", 3,
                "'prot' is no condition; expected name, user,"
            ),
            (
                "rule-default: deny\nrule:\n  - action: deny\n    host:\n      - a.test\n      - 10.0.0.1", 6,
                "rule.host: '10.0.0.1' is no name"
            ),
            ("rule-default: deny\nrule:\n  - action: deny\n    host: []", 4, "host has no value"),
            ("rule-default: deny\nrule: deny to=10.0.0.0/33", 2, "rule: '10.0.0.0/33' is no network"),
            ("rule-default: deny\nrule: deny client=host.test", 2, "rule: 'host.test' is no network"),
            ("rule-default: deny\nrule: [deny method=G@T]", 2, "rule: 'G@T' is no method"),
            ("role: admins", 1, "role: 'admins' is no role; expected admins=alice,bob"),
            ("guard-except: everything", 1, "guard-except: 'everything' is no network"),
            ("guard: {a: b}", 1, "guard: expected one value"),
            ("- guard", 1, "expected 'key: value' lines"),
            ("guard: on\n---\nguard: off", 2, "expected one document, not several"),
            ("listen:\n  - a\n  - [b\nguard: on", 4, "did not find expected ',' or ']'"),
            ("guard: \"on", 1, "found unexpected end of stream"),
            ("upstream: ftp://user:topsecret@a", 1, "upstream: "),
            (
                "users-file: /nonexistent/users", 1,
                "users-file: /nonexistent/users: No such file or directory"
            ),
            ("upstream-ca: /nonexistent/ca", 1, "upstream-ca: is for https parents, and no upstream is one"),
        ])
    func mistake(yaml: String, line: Int, problem: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try self.load(yaml) }
        guard case .file(_, let found) = error.place else {
            Issue.record("the place is \(error.place)")
            return
        }
        #expect(error.description.contains(problem), "\(error)")
        #expect(found == line, "\(error)")
        #expect(!error.description.contains("topsecret"))
    }

    @Test("an error of a flag or a variable names it")
    func otherPlaces() throws {
        let flag = #expect(throws: ConfigurationError.self) { try self.load(flags: ["guard": ["x"]]) }
        #expect(flag?.description.hasPrefix("--guard: 'x' is no choice") == true)
        let variable = #expect(throws: ConfigurationError.self) {
            try self.load(environment: ["CULVERT_HEAD_TIMEOUT": "x"])
        }
        #expect(variable?.description.hasPrefix("CULVERT_HEAD_TIMEOUT: 'x' is no duration") == true)
    }

    @Test("aliases that multiply end at a bound")
    func aliases() throws {
        let levels = (1...20).map {
            "l\($0): &l\($0) [\(Array(repeating: "*l\($0 - 1)", count: 9).joined(separator: ","))]"
        }
        let yaml = "guard: {l0: &l0 [a], \(levels.joined(separator: ", "))}"
        let error = try #require(throws: ConfigurationError.self) { try self.load(yaml) }
        #expect(error.problem == "too many values")
    }

    @Test("a setting that only a restart changes is told")
    func restart() throws {
        let before = try self.load("listen: 127.0.0.1:1\nguard: on")
        let after = try self.load("listen: 127.0.0.1:2\nguard: off")
        #expect(after.settingsNeedingRestart(comparedWith: before) == ["listen"])
        #expect(before.settingsNeedingRestart(comparedWith: before).isEmpty)
    }

    @Test(
        "durations and sizes have units",
        arguments: [
            ("30", Duration.seconds(30)), ("30s", .seconds(30)), ("500ms", .milliseconds(500)),
            ("10 m", .seconds(600)), ("1h", .seconds(3600)), ("1d", .seconds(86400)),
            ("0.5s", .milliseconds(500)),
            ("", nil), ("s", nil), ("-1", nil), ("1w", nil), ("nan", nil), ("0x10", nil), ("١", nil),
            ("1..2", nil),
        ] as [(String, Duration?)])
    func durations(text: String, expected: Duration?) {
        #expect(ConfigurationUnits.duration(text) == expected)
    }

    @Test(
        "sizes are powers of 1024 unless they say otherwise",
        arguments: [
            ("1024", 1024), ("16K", 16384), ("16KiB", 16384), ("1 M", 1_048_576), ("2kB", 2000),
            ("1G", 1 << 30),
            ("1.5K", nil), ("K", nil), ("9223372036854775807K", nil), ("-1", nil),
        ] as [(String, Int?)])
    func sizes(text: String, expected: Int?) {
        #expect(ConfigurationUnits.byteCount(text) == expected)
    }

    @Test("names, variables and defaults of the schema are well formed")
    func schema() {
        for key in ConfigurationKey.all {
            #expect(key.name.allSatisfy { $0.isLowercase || $0 == "-" || $0.isNumber }, "\(key.name)")
            #expect(key.summary.hasSuffix("."), "\(key.name)")
        }
        #expect(ConfigurationKey.named("head-timeout")?.variable == "CULVERT_HEAD_TIMEOUT")
        #expect(ConfigurationKey.named("head-timeout")?.defaultText == "30s")
    }
}
