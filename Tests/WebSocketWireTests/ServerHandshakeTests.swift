import HTTPTypes
import HTTPWire
import NIOCore
import Testing
import WebSocketWire

@Suite("The server's opening handshake")
struct ServerHandshakeTests {
    /// The request of RFC 6455 §1.3, with lines replaced or left out.
    static func request(
        line: String = "GET /chat HTTP/1.1", host: String? = "Host: server.example.com",
        upgrade: String? = "Upgrade: websocket", connection: String? = "Connection: Upgrade",
        key: String? = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        version: String? = "Sec-WebSocket-Version: 13",
        more: [String] = []
    ) -> String {
        ([line, host, upgrade, connection, key, version].compactMap(\.self) + more + ["", ""])
            .joined(separator: "\r\n")
    }

    private static func head(_ text: String) throws -> RequestHead {
        var parser = HeadParser(mode: .strict, limits: .serving)
        var buffer = ByteBuffer(string: text)
        return try #require(try parser.parseRequest(&buffer))
    }

    @Test("RFC 6455 §1.3: the sample request gets the sample answer")
    func sample() throws {
        let more = ["Origin: http://example.com", "Sec-WebSocket-Protocol: chat, superchat"]
        let handshake = try ServerHandshake(Self.head(Self.request(more: more)))
        #expect(handshake.subprotocols == ["chat", "superchat"])
        #expect(handshake.extensions.isEmpty)
        let answer = handshake.accept(choosing: \.first)
        #expect(answer.subprotocol == "chat")
        let lines = String(buffer: answer.response).split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.first?.hasPrefix("HTTP/1.1 101 ") == true)
        #expect(
            lines.dropFirst() == [
                "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                "Sec-WebSocket-Protocol: chat", "", "",
            ])
    }

    @Test("our two sides understand each other")
    func bothSides() throws {
        var client = try ClientHandshakeTests.handshake(
            "wss://a.test/x", subprotocols: ["a", "b"],
            extensions: ["permessage-deflate; client_max_window_bits"])
        let handshake = try ServerHandshake(Self.head(String(buffer: client.request())))
        #expect(handshake.request.target == "/x")
        #expect(handshake.extensions == ["permessage-deflate; client_max_window_bits"])
        let answer = handshake.accept(extensions: ["permessage-deflate"], fields: [.server: "s"]) { $0.last }
        guard case .upgraded(let response, "b", ["permessage-deflate"], _) = client.receive(answer.response)
        else {
            Issue.record("no upgrade")
            return
        }
        #expect(response.headerFields[.server] == "s")
    }

    @Test("a subprotocol that was not offered counts as none, and without an offer nobody is asked")
    func subprotocols() throws {
        let offering = try ServerHandshake(Self.head(Self.request(more: ["Sec-WebSocket-Protocol: a"])))
        let answer = offering.accept { _ in "b" }
        #expect(answer.subprotocol == nil)
        #expect(!String(buffer: answer.response).contains("Protocol:"))
        #expect(offering.accept { _ in nil }.subprotocol == nil)
        let silent = try ServerHandshake(Self.head(Self.request()))
        #expect(silent.accept { _ in "a" }.subprotocol == nil)
    }

    @Test(
        "requests that are accepted although they look odd",
        arguments: [
            request(upgrade: "Upgrade: h2c, WebSocket"),
            request(connection: "Connection: keep-alive, UPGRADE"),
            request(connection: "Connection: keep-alive\r\nConnection: Upgrade"),
            request(host: "Host: [::1]:8080"),
            request(more: ["Content-Length: 0"]), request(version: "sec-websocket-version:13"),
            request(more: ["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"]),
        ])
    func odd(text: String) throws {
        let handshake = try ServerHandshake(Self.head(text))
        #expect(String(buffer: handshake.accept().response).hasPrefix("HTTP/1.1 101 "))
    }

    private static let badRequests: [(String, Int)] = [
        (request(line: "POST /chat HTTP/1.1"), 405), (request(line: "CONNECT a:1 HTTP/1.1"), 405),
        (request(line: "GET /chat HTTP/1.0"), 400),
        (request(host: nil), 400), (request(host: "Host: a\r\nHost: a"), 400),
        (request(host: "Host: a b"), 400),
        (request(host: "Host:"), 400),
        (request(upgrade: nil), 426), (request(upgrade: "Upgrade: h2c"), 426),
        (request(connection: nil), 400), (request(connection: "Connection: keep-alive"), 400),
        (request(key: nil), 400), (request(key: "Sec-WebSocket-Key:"), 400),
        (request(key: "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"), 400),
        (request(key: "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"), 400),
        (request(key: "Sec-WebSocket-Key: !!hlIHNhbXBsZSBub25jZQ=="), 400),
        (request(more: ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]), 400),
        (request(version: nil), 426), (request(version: "Sec-WebSocket-Version: 8"), 426),
        (request(version: "Sec-WebSocket-Version: 13, 8"), 426),
        (request(more: ["Sec-WebSocket-Version: 13"]), 426),
        (request(more: ["Content-Length: 5"]), 400), (request(more: ["Transfer-Encoding: chunked"]), 400),
        (request(more: ["Sec-WebSocket-Protocol: a b"]), 400),
        (request(more: ["Sec-WebSocket-Extensions: ;a"]), 400),
    ]

    @Test("requests that are refused", arguments: badRequests)
    func refused(text: String, status: Int) throws {
        let head = try Self.head(text)
        let refusal = #expect(throws: ServerHandshakeRefusal.self) { try ServerHandshake(head) }
        #expect(refusal?.status.code == status)

        var parser = HeadParser(mode: .strict, limits: .answer)
        var answer = try #require(refusal).serialize()
        let response = try #require(try parser.parseResponse(&answer)).response
        #expect(response.status.code == status)
        #expect(response.headerFields[.contentLength] == "\(answer.readableBytes)")
        #expect(response.headerFields[.connection]?.hasPrefix("close") == true)
        #expect((response.headerFields[.upgrade] == "websocket") == (status == 426))
        #expect(response.headerFields[.allow] == (status == 405 ? "GET" : nil))
    }

    @Test("a version other than 13 is told which one is right")
    func version() throws {
        let head = try Self.head(Self.request(version: "Sec-WebSocket-Version: 25"))
        let refusal = #expect(throws: ServerHandshakeRefusal.self) { try ServerHandshake(head) }
        #expect(refusal?.fields[.secWebSocketVersion] == "13")
    }
}
