import CulvertInterop
import Testing

/// What a person mistypes.
@Suite("mistakes on the command line", .serialized, .timeLimit(.minutes(2)))
struct CommandLineTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var environment: [String: String] = [:]
        var status: Int32
        /// Each must be in what is said on standard error, in any case.
        var words: [String]

        var testDescription: String {
            (self.environment.map { "\($0.key)=\($0.value)" } + self.arguments).joined(separator: " ")
        }
    }

    static let mistakes: [Mistake] = [
        Mistake(arguments: ["nonsense"], status: 64, words: ["nonsense"]),
        Mistake(arguments: ["proxy", "--nonsense"], status: 64, words: ["--nonsense"]),
        Mistake(arguments: ["proxy", "--listen", "127.0.0.1"], status: 64, words: ["127.0.0.1"]),
        Mistake(arguments: ["proxy", "--listen", "127.0.0.1:65536"], status: 64, words: ["65536"]),
        Mistake(arguments: ["proxy", "--listen", "here:there"], status: 64, words: ["here:there"]),
        Mistake(arguments: ["proxy", "--connect-timeout", "soon"], status: 64, words: ["soon"]),
        Mistake(arguments: ["proxy", "--connect-timeout", "-1"], status: 64, words: ["connect-timeout"]),
        Mistake(arguments: ["proxy", "--idle-timeout", "nan"], status: 64, words: ["idle-timeout"]),
        Mistake(arguments: ["proxy", "--idle-timeout", "1e300"], status: 64, words: ["idle-timeout"]),
        Mistake(arguments: ["proxy", "--max-head-bytes", "0"], status: 64, words: ["max-head-bytes"]),
        Mistake(
            arguments: ["proxy", "--max-head-bytes", "99999999999999999999"], status: 64,
            words: ["max-head-bytes"]),
        Mistake(arguments: ["proxy", "--log-level", "loud"], status: 64, words: ["loud"]),
        Mistake(
            arguments: ["proxy", "--listen", "127.0.0.1:0", "--upstream", "ftp://a:1"], status: 64,
            words: ["ftp"]),
        Mistake(
            arguments: ["proxy", "--listen", "127.0.0.1:0", "--users-file", "/nonexistent/users"], status: 64,
            words: ["/nonexistent/users"]),
        Mistake(
            arguments: ["proxy", "--upstream", "https://127.0.0.1:1", "--upstream-ca", "/nonexistent/ca"],
            status: 64,
            words: ["/nonexistent/ca"]),
        Mistake(
            arguments: ["proxy", "--upstream", "http://127.0.0.1:1", "--upstream-ca", "/nonexistent/ca"],
            status: 64, words: ["--upstream-ca", "https"]),
        Mistake(
            arguments: ["proxy", "--listen", "127.0.0.1:19128", "--upstream", "http://localhost:19128"],
            status: 64, words: ["this proxy itself"]),
        Mistake(arguments: ["ws"], status: 64, words: ["url"]),
        Mistake(arguments: ["ws", "ftp://a.test/"], status: 64, words: ["ws://"]),
        Mistake(arguments: ["ws", "a.test"], status: 64, words: ["ws://"]),
        Mistake(arguments: ["ws", "ws://"], status: 64, words: ["host"]),
        Mistake(arguments: ["ws", "ws://a.test:99999/"], status: 64, words: ["99999"]),
        Mistake(arguments: ["ws", "ws://a.test/#fragment"], status: 64, words: ["fragment"]),
        Mistake(
            arguments: ["ws", "ws://a.test/", "-H", "no colon"], status: 64, words: ["-h", "name: value"]),
        Mistake(arguments: ["ws", "ws://a.test/", "-H", "X: a\r\nY: b"], status: 64, words: ["X"]),
        Mistake(
            arguments: ["ws", "ws://a.test/", "-H", "Sec-WebSocket-Key: a"], status: 64,
            words: ["Sec-WebSocket-Key"]),
        Mistake(arguments: ["ws", "ws://a.test/", "--subprotocol", "a b"], status: 64, words: ["a b"]),
        Mistake(arguments: ["ws", "ws://a.test/", "--proxy", "ftp://a:1"], status: 64, words: ["ftp"]),
        Mistake(
            arguments: ["ws", "ws://a.test/", "--open-timeout", "0"], status: 64, words: ["open-timeout"]),
        Mistake(
            arguments: ["ws", "wss://a.test/", "--proxy", "none", "--ca", "/nonexistent/ca"], status: 64,
            words: ["/nonexistent/ca"]),
        Mistake(
            arguments: ["ws", "wss://a.test/", "--proxy", "none", "--cert", "/nonexistent/c"], status: 64,
            words: ["key"]),
        Mistake(arguments: ["connect"], status: 64, words: ["host"]),
        Mistake(arguments: ["connect", "a.test"], status: 64, words: ["a.test", "port"]),
        Mistake(arguments: ["connect", "a.test:0"], status: 64, words: ["a.test:0"]),
        Mistake(arguments: ["connect", "127.1:80"], status: 64, words: ["127.1"]),
        Mistake(arguments: ["connect", "user@a.test:80"], status: 64, words: ["user information"]),
        Mistake(
            arguments: ["connect", "a.test:22"], environment: ["https_proxy": "ftp://p.test:1"], status: 64,
            words: ["https_proxy"]),
        Mistake(
            arguments: ["connect", "a.test:22"], environment: ["all_proxy": "ftp://p.test:1"], status: 64,
            words: ["all_proxy"]),
        Mistake(
            arguments: ["ws", "ws://a.test/"], environment: ["ws_proxy": "http://[bad"], status: 64,
            words: ["ws_proxy"]),
        Mistake(
            arguments: ["ws", "wss://a.test/"], environment: ["ALL_PROXY": "http://p.test:99999"], status: 64,
            words: ["all_proxy"]),
        Mistake(
            arguments: ["ws", "ws://a.test/"], environment: ["http_proxy": "http://u:topsecret@p.test:99999"],
            status: 64,
            words: ["http_proxy"]),
    ]

    @Test("a mistake is exit code 64 and is named", arguments: mistakes)
    func mistake(mistake: Mistake) async throws {
        let result = try await CulvertCommand.run(
            mistake.arguments, environment: mistake.environment, within: .seconds(10))
        #expect(result.status == mistake.status, "\(result.errors)")
        #expect(result.output.isEmpty)
        for word in mistake.words {
            #expect(result.errors.lowercased().contains(word.lowercased()), "\(result.errors)")
        }
        #expect(!result.errors.contains("topsecret"))
    }

    @Test(
        "help is no error",
        arguments: [["--help"], ["proxy", "--help"], ["ws", "--help"], ["connect", "--help"]])
    func help(arguments: [String]) async throws {
        let result = try await CulvertCommand.run(arguments)
        #expect(result.status == 0)
        #expect(result.text.contains("USAGE: culvert"))
    }

    @Test("a port that is taken is told, and is no usage error")
    func taken() async throws {
        let proxy = try await OwnProxies.shared.open()
        let result = try await CulvertCommand.run(
            ["proxy", "--listen", "127.0.0.1:\(proxy.port)"], within: .seconds(10))
        #expect(result.status != 0)
        #expect(result.errors.contains("127.0.0.1:\(proxy.port)"), "\(result.errors)")
    }

    @Test("two listeners are two lines and both serve")
    func twoListeners() async throws {
        let proxy = try await CulvertProxyProcess(["--listen", "127.0.0.1:0"])
        try await eventually("two lines") {
            proxy.process.errors.lines.filter { $0.hasPrefix("culvert proxy: listening on 127.0.0.1:") }.count
                == 2
        }
        let ports = proxy.process.errors.lines.compactMap {
            $0.split(separator: ":").last.flatMap { Int($0) }
        }
        #expect(Set(ports).count == 2)
        #expect(ports.allSatisfy { LoopbackPort.accepts($0) })
    }
}
