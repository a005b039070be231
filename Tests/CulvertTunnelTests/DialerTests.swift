import CulvertTunnel
import HTTPTypes
import NIOCore
import TestSupport
import Testing

/// A dialer through one HTTP proxy at this address.
private func dialer(
    via proxy: Authority,
    credentials: ProxyCredentials? = nil,
    timeout: Duration = .seconds(10),
    unasked: Bool = false
) -> Dialer {
    Dialer(
        .init {
            $0.proxy = .hops([ProxyHop(scheme: .http, authority: proxy, credentials: credentials)])
            $0.openTimeout = timeout
            $0.proxyAuthentication.sendsUnasked = unasked
        })
}

private let alice = ProxyCredentials(user: "alice", password: "secret")

/// Opens a tunnel that must fail.
private func failure(_ dialer: Dialer, to target: String = "target.example:443") async throws -> TunnelError {
    try await #require(throws: TunnelError.self) {
        try await dialer.withStream(to: Authority(target)) { _ in }
    }
}

@Suite("Dialling")
struct DialerTests {
    @Test("direct: bytes go there and back, and a half-close passes")
    func direct() async throws {
        try await withTCPServer(echo) { origin in
            try await Dialer(.init { $0.proxy = .none }).withStream(to: origin) { stream in
                try await stream.write("ping")
                try await stream.finish()
                var received = ByteBuffer()
                for try await bytes in stream { received.writeImmutableBuffer(bytes) }
                #expect(String(buffer: received) == "ping")
            }
        }
    }

    @Test("through a proxy: one head in one write, and what follows the 200 is the tunnel's")
    func throughProxy() async throws {
        try await withTCPServer { connection in
            let first = try await connection.read().map { String(buffer: $0) }
            #expect(first?.hasPrefix("CONNECT target.example:443 HTTP/1.1\r\n") == true)
            #expect(first?.contains("\r\nHost: target.example:443\r\n") == true, "\(first ?? "")")
            #expect(first?.hasSuffix("\r\n\r\n") == true)
            #expect(first?.lowercased().contains("proxy-authorization") == false)
            try await connection.write("HTTP/1.1 200 OK\r\n\r\n220 banner in the same packet\r\n")
            try await echo(connection)
        } _: { proxy in
            try await dialer(via: proxy).withStream(to: Authority("target.example:443")) { stream in
                try await stream.write("after")
                try await stream.finish()
                var received = ByteBuffer()
                for try await bytes in stream { received.writeImmutableBuffer(bytes) }
                #expect(String(buffer: received) == "220 banner in the same packet\r\nafter")
            }
        }
    }

    @Test("a chain: the first proxy is asked for the second, the second for the target")
    func chain() async throws {
        try await withTCPServer { connection in
            #expect(try await connection.readHead().hasPrefix("CONNECT second.example:8080 "))
            try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
            #expect(try await connection.readHead().hasPrefix("CONNECT target.example:443 "))
            try await connection.write("HTTP/1.1 200 OK\r\n\r\ndone")
            try await connection.finish()
        } _: { first in
            let hops = [
                ProxyHop(scheme: .http, authority: first),
                ProxyHop(scheme: .http, authority: try Authority("second.example:8080")),
            ]
            try await Dialer(.init { $0.proxy = .hops(hops) }).withStream(to: Authority("target.example:443"))
            {
                stream in
                var received = ByteBuffer()
                for try await bytes in stream { received.writeImmutableBuffer(bytes) }
                #expect(String(buffer: received) == "done")
            }
        }
    }

    @Test("a 407 with a body is answered on the same connection")
    func challengeOnSameConnection() async throws {
        try await withTCPServer { connection in
            _ = try await connection.readHead()
            try await connection.write(
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 5\r\n\r\nbody!")
            let second = try await connection.readHead()
            #expect(second.contains("Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n"))
            try await connection.write("HTTP/1.1 200 OK\r\n\r\nin")
            try await connection.finish()
        } _: { proxy in
            try await dialer(via: proxy, credentials: alice).withStream(to: Authority("target.example:443")) {
                stream in
                var iterator = stream.makeAsyncIterator()
                let first = try await iterator.next()
                #expect(first.map { String(buffer: $0) } == "in")
            }
        }
    }

    @Test("a 407 that closes the connection is answered with the first CONNECT of a new one")
    func challengeOnNewConnection() async throws {
        try await withTCPServer { connection in
            let head = try await connection.readHead()
            if head.contains("Proxy-Authorization: Basic ") {
                try await connection.write("HTTP/1.1 200 OK\r\n\r\nin")
            } else {
                try await connection.write(
                    "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\n\r\nbye"
                )
            }
            try await connection.finish()
        } _: { proxy in
            try await dialer(via: proxy, credentials: alice).withStream(to: Authority("target.example:443")) {
                stream in
                var iterator = stream.makeAsyncIterator()
                let first = try await iterator.next()
                #expect(first.map { String(buffer: $0) } == "in")
            }
        }
    }

    @Test("unasked credentials ride on the first CONNECT")
    func unasked() async throws {
        try await withTCPServer { connection in
            #expect(
                try await connection.readHead().contains("Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n"))
            try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
        } _: { proxy in
            try await dialer(via: proxy, credentials: alice, unasked: true)
                .withStream(to: Authority("target.example:443")) { _ in }
        }
    }
}

@Suite("Why a tunnel does not open")
struct DialerErrorTests {
    @Test("a wrong password is told after one try")
    func wrongPassword() async throws {
        try await withTCPServer { connection in
            for _ in 0..<2 {
                _ = try await connection.readHead()
                try await connection.write(
                    "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
            }
            // A third request would hang here and end in a timeout instead.
            _ = try await connection.readToEnd()
        } _: { proxy in
            let error = try await failure(dialer(via: proxy, credentials: alice))
            #expect(error.code == .authenticationFailed)
            #expect(error.fault == .proxy)
            #expect(error.refusal?.challenges.first?.scheme == "basic")
            #expect(!"\(error)".contains("secret"))
        }
    }

    @Test(
        "answers of proxies",
        arguments: [
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno.\n", .refusedByProxy, "403 Forbidden"),
            ("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", .refusedByProxy, "407 without a challenge"),
            (
                "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n",
                .authenticationFailed,
                "ntlm"
            ),
            (
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
                .authenticationFailed, "user:password@"
            ),
            ("SSH-2.0-OpenSSH_9.2\r\n", .malformedProxyAnswer, "SSH-2.0"),
            ("HTTP/1.1 20", .malformedProxyAnswer, "closed"),
            ("", .malformedProxyAnswer, "closed"),
        ] as [(String, TunnelError.Code, String)])
    func answers(answer: String, code: TunnelError.Code, words: String) async throws {
        try await withTCPServer { connection in
            _ = try await connection.readHead()
            if !answer.isEmpty { try await connection.write(answer) }
            try await connection.finish()
        } _: { proxy in
            let error = try await failure(dialer(via: proxy))
            #expect(error.code == code)
            #expect("\(error)".contains(words), "\(error)")
            #expect(error.phase == .proxyConnect(ProxyHop(scheme: .http, authority: proxy)))
        }
    }

    @Test("a proxy that never answers meets the deadline")
    func silence() async throws {
        try await withTCPServer { connection in
            _ = try await connection.readToEnd()
        } _: { proxy in
            let error = try await failure(dialer(via: proxy, timeout: .seconds(3)))
            #expect(error.code == .timedOut)
            #expect(error.fault == .proxy)
        }
    }

    @Test("a name without an address")
    func unresolvable() async throws {
        let error = try await failure(Dialer(.init { $0.proxy = .none }), to: "nonexistent.invalid:443")
        #expect(error.code == .nameNotResolved)
        #expect(error.phase == .resolve)
    }

    @Test("a port where nobody listens")
    func refused() async throws {
        // A port that was free a moment ago.
        let closed = try await withTCPServer { _ in
        } _: {
            $0
        }
        let error = try await failure(Dialer(.init { $0.proxy = .none }), to: "\(closed)")
        #expect(error.code == .connectionFailed)
        #expect("\(error)".contains("refused"))
    }

    @Test("TLS with a target that speaks none")
    func noTLS() async throws {
        try await withTCPServer { connection in
            _ = try await connection.read()
            try await connection.write("HTTP/1.1 400 Bad Request\r\n\r\n")
            try await connection.finish()
        } _: { origin in
            let error = try await #require(throws: TunnelError.self) {
                try await Dialer(.init { $0.proxy = .none }).withStream(to: origin, tls: TLSOptions()) { _ in
                }
            }
            #expect(error.code == .tlsFailed)
            #expect(error.phase == .targetTLS)
            #expect(error.fault == .target)
        }
    }

    @Test("a certificate file that is not there is the configuration's fault")
    func missingCertificate() async throws {
        let options = TLSOptions { $0.trustRoots = .file("/nonexistent/ca.pem") }
        let error = try await #require(throws: TunnelError.self) {
            try await Dialer(.init { $0.proxy = .none })
                .withStream(to: Authority("127.0.0.1:1"), tls: options) { _ in }
        }
        #expect(error.code == .invalidConfiguration)
        #expect("\(error)".contains("/nonexistent/ca.pem"))
    }

    @Test("an unusable variable of the environment is never silently direct")
    func badEnvironment() async throws {
        let dialer = Dialer(.init { $0.proxy = .variables(["https_proxy": "socks9://x"]) })
        let error = try await failure(dialer, to: "target.example:80")
        #expect(error.code == .invalidConfiguration)
        #expect("\(error)".contains("https_proxy"))
    }

    @Test("cancelling the task ends the attempt")
    func cancellation() async throws {
        try await withTCPServer { connection in
            _ = try await connection.readToEnd()
        } _: { proxy in
            let attempt = Task { try await failure(dialer(via: proxy)) }
            try await Task.sleep(for: .milliseconds(50))
            attempt.cancel()
            #expect(try await attempt.value.code == .cancelled)
        }
    }

    @Test("a task that is cancelled before reaches nobody")
    func cancelledBefore() async throws {
        let connections = Tally()
        try await withTCPServer { connection in
            connections.add()
            _ = try? await connection.readToEnd()
        } _: { server in
            let dialer = Dialer(.init { $0.proxy = .none })
            for _ in 0..<50 {
                let attempt = Task {
                    try? await Task.sleep(for: .seconds(3600))
                    return try await #require(throws: TunnelError.self) {
                        try await dialer.withStream(to: server) { _ in }
                    }
                }
                attempt.cancel()
                #expect(try await attempt.value.code == .cancelled)
            }
            try await dialer.withStream(to: server) { _ in }
            // They would have been accepted in their order.
            #expect(try await connections.settled() == 1)
        }
    }
}
