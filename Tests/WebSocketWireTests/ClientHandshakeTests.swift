import HTTPTypes
import HTTPWire
import NIOCore
import Testing
import WebSocketWire

@Suite("The client's opening handshake")
struct ClientHandshakeTests {
    /// RFC 6455 §1.3: the nonce of the key `dGhlIHNhbXBsZSBub25jZQ==`.
    static let nonce = Array("the sample nonce".utf8)

    static func handshake(
        _ url: String = "ws://server.example.com/chat", fields: HTTPFields = [:], subprotocols: [String] = [],
        extensions: [String] = []
    ) throws -> ClientHandshake {
        try ClientHandshake(
            url: WebSocketURL(url), fields: fields, subprotocols: subprotocols, extensions: extensions,
            nonce: nonce)
    }

    /// The lines of a request, the last two (empty ones) checked and dropped.
    private static func lines(_ handshake: ClientHandshake) -> [String] {
        let lines = String(buffer: handshake.request()).split(
            separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.suffix(2) == ["", ""])
        return lines.dropLast(2).map(String.init)
    }

    // MARK: The request

    @Test("a request has what RFC 6455 §4.1 demands, and no more")
    func request() throws {
        #expect(
            try Self.lines(Self.handshake()) == [
                "GET /chat HTTP/1.1", "Host: server.example.com", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
                "User-Agent: Culvert",
            ])
    }

    @Test("subprotocols and extensions are offered in one line each")
    func offers() throws {
        let lines = try Self.lines(
            Self.handshake(
                subprotocols: ["chat", "superchat"], extensions: ["permessage-deflate; a", "x-b"]))
        #expect(lines.contains("Sec-WebSocket-Protocol: chat, superchat"))
        #expect(lines.contains("Sec-WebSocket-Extensions: permessage-deflate; a, x-b"))
    }

    @Test("fields of the caller are added and replace defaults, Host and Origin included")
    func fields() throws {
        let host = try #require(HTTPField.Name("hOsT"))
        let lines = try Self.lines(
            Self.handshake(
                "wss://a.test:8443/?q",
                fields: [host: "other.test", .origin: "https://o.test", .userAgent: "mine", .cookie: "a=b"]))
        #expect(lines.first == "GET /?q HTTP/1.1")
        #expect(lines.filter { $0.lowercased().hasPrefix("host:") } == ["Host: other.test"])
        #expect(lines.filter { $0.hasPrefix("User-Agent:") } == ["User-Agent: mine"])
        #expect(lines.contains("Origin: https://o.test"))
        #expect(lines.contains("Cookie: a=b"))
    }

    @Test("userinfo becomes Basic credentials unless the caller gives others")
    func authorization() throws {
        let url = "ws://Aladdin:open%20sesame@a.test/"
        #expect(
            try Self.lines(Self.handshake(url)).contains("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
        let given = try Self.lines(Self.handshake(url, fields: [.authorization: "Bearer t"]))
        #expect(given.filter { $0.hasPrefix("Authorization") } == ["Authorization: Bearer t"])
        #expect(!given.joined().contains("Aladdin"))
    }

    @Test(
        "the port stands in Host only where it is not the scheme's own",
        arguments: [
            ("ws://a.test/", "a.test"), ("ws://a.test:443/", "a.test:443"), ("wss://a.test:443/", "a.test"),
            ("wss://[::1]:80/", "[::1]:80"),
        ])
    func host(url: String, value: String) throws {
        #expect(try Self.lines(Self.handshake(url)).contains("Host: \(value)"))
    }

    @Test("offers that must not be sent")
    func badOffers() {
        #expect(throws: HandshakeRequestError.invalidSubprotocol("a b")) {
            try Self.handshake(subprotocols: ["a b"])
        }
        #expect(throws: HandshakeRequestError.invalidSubprotocol("")) {
            try Self.handshake(subprotocols: [""])
        }
        #expect(throws: HandshakeRequestError.invalidSubprotocol("a\r\nX: y")) {
            try Self.handshake(subprotocols: ["a\r\nX: y"])
        }
        #expect(throws: HandshakeRequestError.duplicateSubprotocol("a")) {
            try Self.handshake(subprotocols: ["a", "b", "a"])
        }
        for text in ["", "; a", "a\r\nX: y", "a, b", "é"] {
            #expect(throws: HandshakeRequestError.invalidExtension(text)) {
                try Self.handshake(extensions: [text])
            }
        }
        #expect(throws: HandshakeRequestError.nonceLength(15)) {
            try ClientHandshake(url: WebSocketURL("ws://a"), nonce: Array(Self.nonce.dropLast()))
        }
    }

    @Test(
        "fields of the handshake itself, of framing and for a proxy are refused",
        arguments: [
            "Connection", "upgrade", "Sec-WebSocket-Key", "sec-websocket-version", "Sec-WebSocket-Accept",
            "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Content-Length", "Transfer-Encoding",
            "Proxy-Authorization",
        ])
    func reservedFields(name: String) throws {
        let field = try #require(HTTPField.Name(name))
        #expect(throws: HandshakeRequestError.reservedField(name)) {
            try Self.handshake(fields: [field: "x"])
        }
    }

    @Test("two Host fields are refused")
    func severalHosts() throws {
        let host = try #require(HTTPField.Name("Host"))
        var fields = HTTPFields()
        fields.append(HTTPField(name: host, value: "a"))
        fields.append(HTTPField(name: host, value: "b"))
        #expect(throws: HandshakeRequestError.severalHosts) { try Self.handshake(fields: fields) }
    }

    // MARK: Answers that upgrade

    /// A 101 of the given lines; the good ones of RFC 6455 §1.3 unless replaced.
    static func answer(
        status: String = "HTTP/1.1 101 Switching Protocols", upgrade: String? = "Upgrade: websocket",
        connection: String? = "Connection: Upgrade",
        accept: String? = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", more: [String] = []
    ) -> String {
        ([status, upgrade, connection, accept].compactMap(\.self) + more + ["", ""]).joined(separator: "\r\n")
    }

    private static func feed(_ handshake: ClientHandshake, _ pieces: [ByteBuffer]) -> ClientHandshake.Action {
        var handshake = handshake
        var last = ClientHandshake.Action.needMore
        var leftover = ByteBuffer()
        for piece in pieces {
            if case .needMore = last {
                last = handshake.receive(piece)
            } else {
                leftover.writeImmutableBuffer(piece)
            }
        }
        if case .upgraded(let response, let subprotocol, let extensions, var first) = last {
            first.writeImmutableBuffer(leftover)
            return .upgraded(response, subprotocol: subprotocol, extensions: extensions, leftover: first)
        }
        return last
    }

    @Test(
        "RFC 6455 §1.3: the sample answer upgrades, whole, byte by byte and at every split; bytes behind it are kept"
    )
    func upgrade() throws {
        let tail = Wire.hex("81 05 48 65 6c 6c 6f")
        let bytes = Wire.join([ByteBuffer(string: Self.answer(more: ["Sec-WebSocket-Protocol: chat"])), tail])
        let handshake = try Self.handshake(subprotocols: ["chat", "superchat"])
        let whole = Self.feed(handshake, [bytes])
        guard case .upgraded(let response, "chat", [], tail) = whole else {
            Issue.record("\(whole)")
            return
        }
        #expect(response.status == .switchingProtocols)
        #expect(Self.feed(handshake, bytes.singleBytes) == whole)
        for index in 0...bytes.readableBytes {
            #expect(Self.feed(handshake, bytes.split(at: index)) == whole)
        }
    }

    @Test(
        "answers that upgrade although they look odd",
        arguments: [
            answer(status: "HTTP/1.1 101"), answer(upgrade: "UPGRADE: WebSocket"),
            answer(connection: "connection: keep-alive, UPGRADE"),
            answer(connection: "Connection: keep-alive\r\nConnection: upgrade"),
            answer(accept: "sec-websocket-accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= "), "\r\n" + answer(),
            answer().split(separator: "\r\n").joined(separator: "\n") + "\n\n",
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer(),
            String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 16) + answer(),
            answer(more: ["Content-Length: 5", "X: \(String(repeating: "x", count: 6000))"]),
        ])
    func oddUpgrades(text: String) throws {
        let bytes = Wire.join([ByteBuffer(string: text), Wire.hex("8900")])
        for pieces in [[bytes], bytes.singleBytes] {
            let action = Self.feed(try Self.handshake(), pieces)
            guard case .upgraded(_, nil, [], let leftover) = action else {
                Issue.record("\(action)")
                return
            }
            #expect(leftover == Wire.hex("8900"))
        }
    }

    private static let brokenAnswers: [(String, HandshakeFailure.Reason)] = [
        (answer(status: "HTTP/1.0 101 Switching Protocols"), .version),
        (answer(upgrade: nil), .upgradeMissing), (answer(upgrade: "Upgrade:"), .upgradeMissing),
        (answer(upgrade: "Upgrade: h2c"), .upgradeWrong),
        (answer(upgrade: "Upgrade: websocket, h2c"), .upgradeWrong),
        (answer(upgrade: "Upgrade: websocket/13"), .upgradeWrong),
        (answer(connection: nil), .connectionMissing),
        (answer(connection: "Connection: close"), .connectionMissing),
        (answer(connection: "Connection: upgraded"), .connectionMissing),
        (answer(accept: nil), .acceptMissing), (answer(accept: "Sec-WebSocket-Accept:"), .acceptWrong),
        (answer(accept: "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ=="), .acceptWrong),
        (answer(accept: "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO="), .acceptWrong),
        (answer(more: ["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]), .severalAccepts),
        (answer(more: ["Sec-WebSocket-Protocol: other"]), .subprotocolNotOffered("other")),
        (answer(more: ["Sec-WebSocket-Protocol: CHAT"]), .subprotocolNotOffered("CHAT")),
        (answer(more: ["Sec-WebSocket-Protocol:"]), .subprotocolNotOffered("")),
        (answer(more: ["Sec-WebSocket-Protocol: chat, superchat"]), .severalSubprotocols),
        (
            answer(more: ["Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: chat"]),
            .severalSubprotocols
        ),
        (answer(more: ["Sec-WebSocket-Extensions: x-other"]), .extensionNotOffered("x-other")),
        (answer(more: ["Sec-WebSocket-Extensions: x-a, x-other; p"]), .extensionNotOffered("x-other")),
        (answer(more: ["Sec-WebSocket-Extensions: x a"]), .extensionMalformed("x a")),
    ]

    @Test("a 101 that breaks a rule fails, and says which", arguments: brokenAnswers)
    func brokenUpgrades(text: String, reason: HandshakeFailure.Reason) throws {
        let handshake = try Self.handshake(subprotocols: ["chat", "superchat"], extensions: ["x-a; p=1"])
        let bytes = ByteBuffer(string: text)
        for pieces in [[bytes], bytes.singleBytes] {
            guard case .failed(let failure) = Self.feed(handshake, pieces) else {
                Issue.record("\(text)")
                return
            }
            #expect(failure.reason == reason)
            #expect(failure.response?.status.code == 101)
            #expect(!failure.description.isEmpty)
        }
    }

    @Test("extensions come back with their parameters, in order")
    func extensions() throws {
        let handshake = try Self.handshake(extensions: ["permessage-deflate; client_max_window_bits", "x-a"])
        let text = Self.answer(more: [
            "Sec-WebSocket-Extensions: x-a, permessage-deflate; server_max_window_bits=\"10\"",
            "Sec-WebSocket-Extensions: permessage-deflate",
        ])
        guard case .upgraded(_, nil, let extensions, _) = Self.feed(handshake, [ByteBuffer(string: text)])
        else {
            Issue.record("no upgrade")
            return
        }
        #expect(
            extensions == ["x-a", "permessage-deflate; server_max_window_bits=\"10\"", "permessage-deflate"])
    }

    // MARK: Other answers

    @Test(
        "any other final status is a refusal with the start of its body",
        arguments: [
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno no", 403, "no no"),
            (
                "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno \r\n2\r\nno\r\n0\r\n\r\n",
                404, "no no"
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
            ("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 302, ""),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
            ("HTTP/1.0 503\r\nContent-Length: 1\r\n\r\nx", 503, "x"),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
                401, ""
            ),
        ])
    func refusals(text: String, status: Int, body: String) throws {
        let bytes = ByteBuffer(string: text)
        for pieces in [[bytes], bytes.singleBytes] {
            guard
                case .refused(let response, ByteBuffer(string: body), false) = Self.feed(
                    try Self.handshake(), pieces)
            else {
                Issue.record("\(text)")
                return
            }
            #expect(response.status.code == status)
        }
    }

    @Test("a refusal keeps its header fields")
    func refusalFields() throws {
        var handshake = try Self.handshake()
        let action = handshake.receive(
            ByteBuffer(string: "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"))
        guard case .refused(let response, _, _) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(response.headerFields[.retryAfter] == "7")
    }

    @Test(
        "a refusal whose body is cut short is still a refusal",
        arguments: [
            ("HTTP/1.1 403 No\r\nContent-Length: 50\r\n\r\nno no", "no no", true),
            ("HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nno no", "no no", true),
            ("HTTP/1.1 403 No\r\n\r\nno no", "no no", false), ("HTTP/1.1 403 No\r\n\r\n", "", false),
        ])
    func cutRefusals(text: String, body: String, isCut: Bool) throws {
        var handshake = try Self.handshake()
        #expect(handshake.receive(ByteBuffer(string: text)) == .needMore)
        guard case .refused(let response, ByteBuffer(string: body), isCut) = handshake.receiveEOF() else {
            Issue.record("\(text)")
            return
        }
        #expect(response.status.code == 403)
        #expect(handshake.receiveEOF() == .needMore)
    }

    @Test(
        "of a long body the first 16 KiB are kept, without waiting for the rest",
        arguments: [16_384, 16_385, 1_000_000])
    func longBody(length: Int) throws {
        var handshake = try Self.handshake()
        let head = "HTTP/1.1 500 Oops\r\nContent-Length: \(length)\r\n\r\n"
        #expect(handshake.receive(ByteBuffer(string: head)) == .needMore)
        let body = ByteBuffer(repeating: 0x61, count: min(length, 20_000))
        guard case .refused(_, let kept, let isCut) = handshake.receive(body) else {
            Issue.record("no refusal")
            return
        }
        #expect(kept.readableBytes == 16_384)
        #expect(isCut == (length > 16_384))
    }

    @Test(
        "what is not HTTP fails with its first bytes, escaped",
        arguments: [
            ("SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2\\x0d\\x0a"), ("<html>", "<html>"),
            ("\u{16}\u{3}\u{1}", "\\x16\\x03\\x01"),
            ("HTTQ", "HTTQ"), ("ICY 200 OK", "ICY 200 OK"),
        ])
    func notHTTP(text: String, start: String) throws {
        var handshake = try Self.handshake()
        #expect(
            handshake.receive(ByteBuffer(string: text)) == .failed(HandshakeFailure(.notHTTP(start: start))))
        #expect(handshake.receive(ByteBuffer(string: "more")) == .needMore)
    }

    @Test(
        "found by fuzzing: why an answer fails does not depend on how it is cut",
        arguments: [
            // A carriage return of its own behind an interim answer, then no status line.
            ("HTTP/1.1 103 x\r\nLink: </a\n\n\r\r\nHTT/P1 101", true),
            // A malformed start line with a complete head, and bytes behind it that are no HTTP.
            ("HTTP/1&1\r\n\r\n4\r\nhel404 Not ,", false),
        ])
    func cutFailures(text: String, isNotHTTP: Bool) throws {
        let bytes = ByteBuffer(string: text)
        for pieces in [[bytes], bytes.singleBytes] {
            guard case .failed(let failure) = Self.feed(try Self.handshake(), pieces) else {
                Issue.record("\(text)")
                return
            }
            switch failure.reason {
            case .notHTTP: #expect(isNotHTTP)
            case .wire(let error): #expect(!isNotHTTP && error.code == .malformedStartLine)
            default: Issue.record("\(failure)")
            }
        }
    }

    @Test(
        "an early end says after how many bytes",
        arguments: ["", "HTTP/1.1 101 Swi", "HTTP/1.1 100 Continue\r\n\r\nHTTP/"])
    func earlyEnd(text: String) throws {
        var handshake = try Self.handshake()
        #expect(handshake.receive(ByteBuffer(string: text)) == .needMore)
        #expect(handshake.receiveEOF() == .failed(HandshakeFailure(.closed(afterBytes: text.utf8.count))))
    }

    @Test("a head that breaks HTTP, a head without an end, and interim answers without an end fail")
    func broken() throws {
        var malformed = try Self.handshake()
        guard case .failed(let failure) = malformed.receive(ByteBuffer(string: "HTTP/1.1 abc\r\n\r\n")),
            case .wire = failure.reason
        else {
            Issue.record("malformed")
            return
        }
        var endless = try Self.handshake()
        var last = endless.receive(ByteBuffer(string: "HTTP/1.1 101 x\r\n"))
        var lines = 0
        while last == .needMore, lines < 100_000 {
            last = endless.receive(ByteBuffer(string: "X-Field: some value that goes on\r\n"))
            lines += 1
        }
        guard case .failed(let tooLong) = last, case .wire = tooLong.reason else {
            Issue.record("endless: \(last)")
            return
        }
        var interim = try Self.handshake()
        let many = String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 17)
        guard case .failed(let tooMany) = interim.receive(ByteBuffer(string: many)) else {
            Issue.record("interim")
            return
        }
        #expect(tooMany.reason == .tooManyInterimResponses)
    }
}
