import CulvertWebSocket
import HTTPTypes
import NIOCore
import Synchronization
import TestSupport
import Testing

@Suite("Redirects and cookies", .timeLimit(.minutes(2)))
struct WebSocketRedirectTests {
    /// A server that redirects every path but `/end` to where `location` says, and notes each request's head.
    private func withRedirects<Result: Sendable>(
        status: Int = 307, to location: @escaping @Sendable (String) -> String,
        _ body: @escaping @Sendable (Authority, Heads) async throws -> Result
    ) async throws -> Result {
        let heads = Heads()
        return try await withTCPServer { connection in
            var head = ByteBuffer(string: try await connection.readHead())
            let text = String(buffer: head)
            heads.append(text)
            guard !text.hasPrefix("GET /end ") else {
                var parser = HeadParser(mode: .strict, limits: .serving)
                guard let request = try parser.parseRequest(&head) else {
                    throw Unexpected(what: "no request")
                }
                try await connection.write(try ServerHandshake(request).accept().response)
                _ = try await connection.readToEnd()
                return
            }
            let path = String(text.dropFirst(4).prefix { $0 != " " })
            try await connection.write(
                "HTTP/1.1 \(status) Elsewhere\r\nLocation: \(location(path))\r\nSet-Cookie: seen=\(path); Path=/\r\n"
                    + "Set-Cookie: b=2\r\nContent-Length: 0\r\n\r\n")
            try await connection.finish()
        } _: { server in
            try await body(server, heads)
        }
    }

    private final class Heads: Sendable {
        private let state = Mutex<[String]>([])

        var all: [String] { self.state.withLock { $0 } }

        func append(_ head: String) { self.state.withLock { $0.append(head) } }
    }

    private func open(
        _ url: String, _ configure: (inout WebSocketClient.Configuration) -> Void
    ) async throws {
        let client = WebSocketClient(
            configuration: .init {
                $0.proxy = .none
                configure(&$0)
            })
        try await client.withConnection(to: url) { _ in }
    }

    @Test("they are followed only when asked for", arguments: [301, 302, 303, 307, 308])
    func optIn(status: Int) async throws {
        try await self.withRedirects(status: status, to: { _ in "/end" }) { server, heads in
            let error = await #expect(throws: WebSocketError.self) {
                try await self.open("ws://\(server)/start") { _ in }
            }
            guard case .upgradeRefused(let refusal) = error else {
                throw Unexpected(what: "\(String(describing: error))")
            }
            #expect(refusal.response.headerFields[.location] == "/end")
            try await self.open("ws://\(server)/start") { $0.maxRedirects = 1 }
            #expect(heads.all.count == 3)
        }
    }

    @Test("a circle ends at the limit")
    func circle() async throws {
        try await self.withRedirects(to: { _ in "/again" }) { server, heads in
            let error = await #expect(throws: WebSocketError.self) {
                try await self.open("ws://\(server)/start") { $0.maxRedirects = 4 }
            }
            guard case .redirectRefused = error else {
                throw Unexpected(what: "\(String(describing: error))")
            }
            #expect(heads.all.count == 5)
        }
    }

    @Test("credentials stay with their origin", arguments: [true, false])
    func credentials(isSameOrigin: Bool) async throws {
        try await self.withRedirects(to: { $0 == "/start" ? "/end" : "" }) { other, otherHeads in
            try await self.withRedirects(to: { _ in isSameOrigin ? "/end" : "ws://\(other)/end" }) {
                server, heads in
                try await self.open("ws://me:secret@\(server)/start") {
                    $0.maxRedirects = 1
                    $0.headerFields = [
                        .cookie: "session=1", .host: "named.example", .origin: "https://app.example",
                    ]
                }
                let last = try #require(isSameOrigin ? heads.all.last : otherHeads.all.last)
                #expect(last.contains("Cookie: session=1") == isSameOrigin)
                #expect(last.contains("Authorization: Basic bWU6c2VjcmV0") == isSameOrigin)
                #expect(last.contains("Host: named.example") == isSameOrigin)
                #expect(last.contains("Origin: https://app.example"))
                #expect(last.contains("Host: \(other)") != isSameOrigin)
            }
        }
    }

    @Test("to what is no WebSocket URL, none goes", arguments: ["ftp://x/", "//", "ws://a b/"])
    func unusable(location: String) async throws {
        try await self.withRedirects(to: { _ in location }) { server, _ in
            let error = await #expect(throws: WebSocketError.self) {
                try await self.open("ws://\(server)/start") { $0.maxRedirects = 1 }
            }
            guard case .redirectRefused = error else {
                throw Unexpected(what: "\(String(describing: error))")
            }
        }
    }

    @Test("the cookie store is asked for each request and told of each answer")
    func cookies() async throws {
        try await self.withRedirects(to: { _ in "/end" }) { server, heads in
            let told = Mutex<[[String]]>([])
            try await self.open("ws://\(server)/start") {
                $0.maxRedirects = 1
                $0.cookies = WebSocketCookies(
                    forRequest: { "path=\($0.resource)" },
                    received: { values, _ in told.withLock { $0.append(values) } })
            }
            #expect(told.withLock { $0 } == [["seen=/start; Path=/", "b=2"]])
            #expect(heads.all.map { $0.contains("Cookie: path=/start\r\n") } == [true, false])
            #expect(heads.all.map { $0.contains("Cookie: path=/end\r\n") } == [false, true])
        }
    }
}
