import CulvertTunnel
import NIOCore
import Synchronization
import TestSupport
import Testing

private func octets(_ parts: any Sequence<UInt8>...) -> [UInt8] { parts.flatMap { Array($0) } }

extension TCPConnection {
    fileprivate func octets(_ count: Int) async throws -> [UInt8] {
        Array(try await self.read(count: count).readableBytesView)
    }

    fileprivate func send(_ octets: [UInt8]) async throws { try await self.write(ByteBuffer(bytes: octets)) }
}

private func dialer(_ hops: [ProxyHop]) -> Dialer {
    Dialer(
        .init {
            $0.proxy = .hops(hops)
            $0.openTimeout = .seconds(20)
        })
}

private func hop(_ scheme: ProxyHop.Scheme, _ authority: Authority, _ password: String? = nil) -> ProxyHop {
    ProxyHop(
        scheme: scheme, authority: authority,
        credentials: password.map { ProxyCredentials(user: "alice", password: Secret($0)) })
}

/// Opens a stream that must fail.
private func failure(_ hops: [ProxyHop], to target: String = "target.example:443") async throws -> TunnelError
{
    try await #require(throws: TunnelError.self) {
        try await dialer(hops).withStream(to: Authority(target)) { _ in }
    }
}

private func received(_ stream: TunnelStream) async throws -> String {
    var received = ByteBuffer()
    for try await bytes in stream { received.writeImmutableBuffer(bytes) }
    return String(buffer: received)
}

private let success: [UInt8] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]

@Suite("SOCKS hops")
struct SOCKSHopTests {
    @Test("socks5h: the proxy is asked for the name, and the target's first bytes are kept")
    func socks5h() async throws {
        try await withTCPServer { connection in
            #expect(try await connection.octets(4) == [5, 2, 0, 2])
            try await connection.send([5, 2])
            #expect(try await connection.octets(14) == octets([1, 5], "alice".utf8, [6], "secret".utf8))
            try await connection.send([1, 0])
            #expect(
                try await connection.octets(21) == octets([5, 1, 0, 3, 14], "target.example".utf8, [1, 187]))
            try await connection.send(success + Array("banner ".utf8))
            try await echo(connection)
        } _: { proxy in
            try await dialer([hop(.socks5h, proxy, "secret")]).withStream(to: Authority("target.example:443"))
            {
                stream in
                try await stream.write("after")
                try await stream.finish()
                let text = try await received(stream)
                #expect(text == "banner after")
            }
        }
    }

    @Test("socks4a: one message with the user's name, and the name behind it")
    func socks4a() async throws {
        try await withTCPServer { connection in
            let expected = octets([4, 1, 1, 187, 0, 0, 0, 1], "alice".utf8, [0], "target.example".utf8, [0])
            #expect(try await connection.octets(expected.count) == expected)
            try await connection.send([0, 90, 0, 0, 0, 0, 0, 0])
            try await echo(connection)
        } _: { proxy in
            try await dialer([hop(.socks4a, proxy, "")]).withStream(to: Authority("target.example:443")) {
                stream in
                try await stream.write("there and back")
                try await stream.finish()
                let text = try await received(stream)
                #expect(text == "there and back")
            }
        }
    }

    @Test("socks5: the name is looked up here, and its addresses are asked for one after the other")
    func socks5() async throws {
        let asked = Mutex<[[UInt8]]>([])
        try await withTCPServer { connection in
            _ = try await connection.octets(3)
            try await connection.send([5, 0])
            let head = try await connection.octets(4)
            let address = try await connection.octets(head[3] == 1 ? 4 : 16)
            _ = try await connection.octets(2)
            asked.withLock { $0.append(address) }
            guard address == [127, 0, 0, 1] else {
                return try await connection.send([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])
            }
            try await connection.send(success + Array("in".utf8))
            try await connection.finish()
        } _: { proxy in
            try await dialer([hop(.socks5, proxy)]).withStream(to: Authority("localhost:443")) { stream in
                let text = try await received(stream)
                #expect(text == "in")
            }
            #expect(asked.withLock { $0.last } == [127, 0, 0, 1])
        }
    }

    @Test("a name that this side cannot look up is told before the proxy is asked")
    func unresolvable() async throws {
        try await withTCPServer { _ in
            Issue.record("the proxy was asked")
        } _: { proxy in
            let error = try await failure([hop(.socks5, proxy)], to: "nothing.invalid:443")
            #expect(error.code == .nameNotResolved)
            #expect(error.phase == .resolve)
        }
    }

    @Test("a chain: SOCKS before CONNECT, and CONNECT before SOCKS")
    func chains() async throws {
        try await withTCPServer { connection in
            guard try await connection.octets(1) == [5] else {
                #expect(try await connection.readHead().hasPrefix("ONNECT second.example:1080 "))
                try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
                _ = try await connection.octets(3)
                try await connection.send([5, 0])
                #expect(try await connection.octets(21).starts(with: [5, 1, 0, 3, 14]))
                try await connection.send(success + Array("done".utf8))
                return try await connection.finish()
            }
            _ = try await connection.octets(2)
            try await connection.send([5, 0])
            #expect(
                try await connection.octets(21)
                    == octets([5, 1, 0, 3, 14], "second.example".utf8, [31, 144]))
            try await connection.send(success)
            #expect(try await connection.readHead().hasPrefix("CONNECT target.example:443 "))
            try await connection.write("HTTP/1.1 200 OK\r\n\r\ndone")
            try await connection.finish()
        } _: { first in
            let target = try Authority("target.example:443")
            for hops in [
                [hop(.socks5h, first), hop(.http, try Authority("second.example:8080"))],
                [hop(.http, first), hop(.socks5h, try Authority("second.example:1080"))],
            ] {
                try await dialer(hops).withStream(to: target) { stream in
                    let text = try await received(stream)
                    #expect(text == "done")
                }
            }
        }
    }

    @Test(
        "an error tells phase, fault and the reply in words, never the password",
        arguments: [
            ([5, 0] + [5, 2, 0], .refusedByProxy, "connection not allowed by ruleset"),
            ([5, 0] + [5, 4, 0], .refusedByProxy, "host unreachable"),
            ([5, 0] + [5, 5, 0, 1, 0, 0, 0, 0, 0, 0], .refusedByProxy, "connection refused (reply 5)"),
            ([5, 0xFF], .authenticationFailed, "takes neither"),
            ([5, 2, 1, 1], .authenticationFailed, "rejects the user name or password"),
            (Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), .malformedProxyAnswer, "answers in HTTP"),
            ([5], .connectionClosed, "closed the connection after 1 octets"),
        ] as [([UInt8], TunnelError.Code, String)])
    func errors(answers: [UInt8], code: TunnelError.Code, words: String) async throws {
        try await withTCPServer { connection in
            // Any first message, then all the answers at once: the machine takes them one by one.
            _ = try await connection.read()
            try await connection.send(answers)
            try await connection.finish()
            _ = try await connection.readToEnd()
        } _: { proxy in
            let proxyHop = hop(.socks5h, proxy, "hunter2")
            let error = try await failure([proxyHop])
            #expect(error.code == code)
            #expect(error.phase == .proxyConnect(proxyHop))
            #expect(error.fault == .proxy)
            #expect(error.description.contains("SOCKS at proxy socks5h://"))
            #expect(error.description.contains(words), "\(error)")
            #expect(!error.description.contains("hunter2"))
        }
    }

    @Test("socks4a carries no password: one that is set is an error, not left out")
    func socks4aPassword() async throws {
        try await withTCPServer(echo) { proxy in
            let error = try await failure([hop(.socks4a, proxy, "secret")])
            #expect(error.code == .invalidConfiguration)
            #expect(error.fault == .configuration)
        }
    }

    @Test("a proxy that takes and says nothing meets the deadline")
    func silent() async throws {
        try await withTCPServer { connection in
            _ = try await connection.readToEnd()
        } _: { proxy in
            let error = try await #require(throws: TunnelError.self) {
                try await Dialer(
                    .init {
                        $0.proxy = .hops([hop(.socks5h, proxy)])
                        $0.openTimeout = .milliseconds(300)
                    }
                ).withStream(to: Authority("target.example:443")) { _ in }
            }
            #expect(error.code == .timedOut)
            #expect(error.fault == .proxy)
        }
    }
}
