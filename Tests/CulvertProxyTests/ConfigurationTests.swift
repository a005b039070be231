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
                "listen: '127.0.0.1:65536' is no address and port"
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
