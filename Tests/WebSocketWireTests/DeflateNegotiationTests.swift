import HTTPTypes
import HTTPWire
import NIOCore
import Testing
import WebSocketWire

@Suite("Agreeing to compress")
struct DeflateNegotiationTests {
    private typealias Options = WebSocketDeflateOptions

    private static func handshake(_ options: WebSocketDeflateOptions) throws -> ClientHandshake {
        try ClientHandshake(
            url: WebSocketURL("ws://a.test/"), compression: .deflate(options),
            nonce: ClientHandshakeTests.nonce)
    }

    /// The extensions' line of the request.
    private static func offer(_ options: WebSocketDeflateOptions) throws -> String? {
        let lines = String(buffer: try Self.handshake(options).request()).split(separator: "\r\n")
        return lines.first { $0.hasPrefix("Sec-WebSocket-Extensions: ") }.map { String($0.dropFirst(26)) }
    }

    // MARK: The client

    private static let offers: [(WebSocketDeflateOptions, String)] = [
        (Options(), "permessage-deflate; client_max_window_bits"),
        (
            Options { $0.incomingWindowBits = 10 },
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits"
        ),
        (Options { $0.outgoingWindowBits = 8 }, "permessage-deflate; client_max_window_bits=8"),
        (
            Options { $0.keepsIncomingContext = false },
            "permessage-deflate; server_no_context_takeover; client_max_window_bits"
        ),
        (
            Options { $0.keepsOutgoingContext = false },
            "permessage-deflate; client_no_context_takeover; client_max_window_bits"
        ),
    ]

    @Test("a client offers what its options say", arguments: offers)
    func offer(options: WebSocketDeflateOptions, text: String) throws {
        #expect(try Self.offer(options) == text)
    }

    @Test("without compression nothing is offered")
    func noOffer() throws {
        let handshake = try ClientHandshakeTests.handshake()
        #expect(!String(buffer: handshake.request()).contains("Extensions"))
    }

    private static func answer(_ lines: [String]) -> ByteBuffer {
        let fields = lines.map { "Sec-WebSocket-Extensions: \($0)\r\n" }.joined()
        return ByteBuffer(
            string: """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
                \(fields)\r

                """)
    }

    @Test("an answer without the extension means plain messages")
    func declined() throws {
        var handshake = try Self.handshake(Options())
        guard case .upgraded(_, nil, [], _) = handshake.receive(Self.answer([])) else {
            Issue.record("no upgrade")
            return
        }
        #expect(handshake.deflate == nil)
    }

    /// What a client with the options makes of the answer: server and client bits, server and client forget.
    private static let goodAnswers: [(WebSocketDeflateOptions, String, [Int], [Bool])] = [
        (Options(), "permessage-deflate", [15, 15], [false, false]),
        (Options(), "Permessage-Deflate", [15, 15], [false, false]),
        (Options(), "permessage-deflate; server_max_window_bits=8", [8, 15], [false, false]),
        (Options(), "permessage-deflate;client_max_window_bits = \"9\"", [15, 9], [false, false]),
        (Options(), "permessage-deflate; client_max_window_bits=\"\\1\\0\"", [15, 10], [false, false]),
        (
            Options(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                + "server_max_window_bits=12; client_max_window_bits=15", [12, 15], [true, true]
        ),
        (
            Options { $0.incomingWindowBits = 10 }, "permessage-deflate; server_max_window_bits=9", [9, 15],
            [false, false]
        ),
        // A promise of the client that the server need not repeat.
        (Options { $0.keepsOutgoingContext = false }, "permessage-deflate", [15, 15], [false, true]),
    ]

    @Test("answers that keep to the offer", arguments: goodAnswers)
    func good(options: WebSocketDeflateOptions, text: String, bits: [Int], forgets: [Bool]) throws {
        var handshake = try Self.handshake(options)
        let action = handshake.receive(Self.answer([text]))
        let parameters = try #require(handshake.deflate?.parameters, "\(action)")
        #expect([parameters.serverMaxWindowBits, parameters.clientMaxWindowBits] == bits)
        #expect([parameters.serverNoContextTakeover, parameters.clientNoContextTakeover] == forgets)
    }

    private static let badAnswers: [(WebSocketDeflateOptions, [String])] = [
        (Options(), ["permessage-deflate", "permessage-deflate"]),
        (Options(), ["permessage-deflate, permessage-deflate; server_max_window_bits=9"]),
        (Options(), ["permessage-deflate;"]), (Options(), ["permessage-deflate; ; x"]),
        (Options(), ["permessage-deflate; unknown"]), (Options(), ["permessage-deflate; a b"]),
        (Options(), ["permessage-deflate; Server_No_Context_Takeover"]),
        (Options(), ["permessage-deflate; server_no_context_takeover=1"]),
        (Options(), ["permessage-deflate; client_no_context_takeover="]),
        (Options(), ["permessage-deflate; server_no_context_takeover; server_no_context_takeover"]),
        (Options(), ["permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"]),
        (Options(), ["permessage-deflate; server_max_window_bits"]),
        (Options(), ["permessage-deflate; server_max_window_bits=7"]),
        (Options(), ["permessage-deflate; server_max_window_bits=16"]),
        (Options(), ["permessage-deflate; server_max_window_bits=08"]),
        (Options(), ["permessage-deflate; server_max_window_bits=+9"]),
        (Options(), ["permessage-deflate; server_max_window_bits=\"9"]),
        (Options(), ["permessage-deflate; server_max_window_bits=\"\""]),
        (Options(), ["permessage-deflate; server_max_window_bits=\"9;\""]),
        (Options(), ["permessage-deflate; client_max_window_bits"]),
        (Options { $0.outgoingWindowBits = 10 }, ["permessage-deflate; client_max_window_bits=11"]),
        (Options { $0.incomingWindowBits = 10 }, ["permessage-deflate"]),
        (Options { $0.incomingWindowBits = 10 }, ["permessage-deflate; server_max_window_bits=11"]),
        (Options { $0.keepsIncomingContext = false }, ["permessage-deflate"]),
    ]

    @Test("answers that do not keep to the offer fail the handshake", arguments: badAnswers)
    func bad(options: WebSocketDeflateOptions, lines: [String]) throws {
        var handshake = try Self.handshake(options)
        guard case .failed(let failure) = handshake.receive(Self.answer(lines)),
            case .compressionWrong(let detail) = failure.reason
        else {
            Issue.record("\(lines) must fail")
            return
        }
        #expect(!detail.isEmpty && failure.description.contains(detail))
        #expect(handshake.deflate == nil)
    }

    @Test("another extension beside it was not offered")
    func another() throws {
        var handshake = try Self.handshake(Options())
        guard case .failed(let failure) = handshake.receive(Self.answer(["permessage-deflate, x-other"]))
        else {
            Issue.record("must fail")
            return
        }
        #expect(failure.reason == .extensionNotOffered("x-other"))
    }

    // MARK: The server

    private static func accept(_ options: WebSocketDeflateOptions, _ offers: [String]) throws -> String? {
        let more = offers.map { "Sec-WebSocket-Extensions: \($0)" }
        var parser = HeadParser(mode: .strict, limits: .serving)
        var buffer = ByteBuffer(string: ServerHandshakeTests.request(more: more))
        let head = try #require(try parser.parseRequest(&buffer))
        return try ServerHandshake(head).deflate(for: .deflate(options))?.parameters.description
    }

    private static let accepted: [(WebSocketDeflateOptions, [String], String?)] = [
        (Options(), [], nil), (Options(), ["x-webkit-deflate-frame"], nil),
        (Options(), ["permessage-deflate"], "permessage-deflate"),
        (Options(), ["permessage-deflate; client_max_window_bits"], "permessage-deflate"),
        (
            Options(), ["permessage-deflate; client_max_window_bits=10"],
            "permessage-deflate; client_max_window_bits=10"
        ),
        // What was offered must be answered, also where it changes nothing.
        (
            Options(), ["permessage-deflate; server_max_window_bits=15"],
            "permessage-deflate; server_max_window_bits=15"
        ),
        (
            Options { $0.outgoingWindowBits = 12 }, ["permessage-deflate; server_max_window_bits=8"],
            "permessage-deflate; server_max_window_bits=8"
        ),
        (
            Options { $0.outgoingWindowBits = 9 }, ["permessage-deflate"],
            "permessage-deflate; server_max_window_bits=9"
        ),
        (
            Options(), ["permessage-deflate; server_no_context_takeover; client_no_context_takeover"],
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        ),
        (
            Options {
                $0.keepsIncomingContext = false
                $0.keepsOutgoingContext = false
            }, ["permessage-deflate"],
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        ),
        (
            Options { $0.incomingWindowBits = 11 }, ["permessage-deflate; client_max_window_bits"],
            "permessage-deflate; client_max_window_bits=11"
        ),
        (
            Options { $0.incomingWindowBits = 11 }, ["permessage-deflate; client_max_window_bits=12"],
            "permessage-deflate; client_max_window_bits=11"
        ),
        // A client that does not name the parameter must not be asked.
        (Options { $0.incomingWindowBits = 11 }, ["permessage-deflate"], "permessage-deflate"),
        // The first that can be accepted, from several lines and in one.
        (
            Options(), ["permessage-deflate; unknown, x-a", "permessage-deflate; server_max_window_bits=10"],
            "permessage-deflate; server_max_window_bits=10"
        ),
        (
            Options(),
            [
                "permessage-deflate; server_max_window_bits=10, permessage-deflate; server_max_window_bits=11"
            ],
            "permessage-deflate; server_max_window_bits=10"
        ),
        (Options(), ["permessage-deflate; server_max_window_bits"], nil),
        (Options(), ["permessage-deflate; client_max_window_bits=16"], nil),
        (Options(), ["permessage-deflate; client_max_window_bits; client_max_window_bits"], nil),
        (Options(), ["permessage-deflate; server_no_context_takeover=x"], nil),
    ]

    @Test("a server takes the first offer it can", arguments: accepted)
    func server(options: WebSocketDeflateOptions, offers: [String], answer: String?) throws {
        #expect(try Self.accept(options, offers) == answer)
    }

    @Test("a server without compression takes none")
    func disabledServer() throws {
        var parser = HeadParser(mode: .strict, limits: .serving)
        var buffer = ByteBuffer(
            string: ServerHandshakeTests.request(more: ["Sec-WebSocket-Extensions: permessage-deflate"]))
        let head = try #require(try parser.parseRequest(&buffer))
        #expect(try ServerHandshake(head).deflate(for: .disabled) == nil)
    }

    // MARK: Both

    private static let someOptions: [WebSocketDeflateOptions] = [8, 9, 12, 15].flatMap { bits in
        [true, false].flatMap { keeps in
            [
                Options {
                    $0.outgoingWindowBits = bits
                    $0.keepsIncomingContext = keeps
                },
                Options {
                    $0.incomingWindowBits = bits
                    $0.keepsOutgoingContext = keeps
                },
            ]
        }
    }

    @Test("our two sides agree, whatever their options", arguments: someOptions, someOptions)
    func bothSides(client: WebSocketDeflateOptions, server: WebSocketDeflateOptions) throws {
        var handshake = try Self.handshake(client)
        var parser = HeadParser(mode: .strict, limits: .serving)
        var request = handshake.request()
        let accepting = try ServerHandshake(try #require(try parser.parseRequest(&request)))
        let ours = try #require(accepting.deflate(for: .deflate(server)))
        let answer = accepting.accept(extensions: [ours.parameters.description])
        let action = handshake.receive(answer.response)
        let theirs = try #require(handshake.deflate, "\(action)")
        #expect(theirs.parameters.description == ours.parameters.description)
        #expect(theirs.parameters.serverMaxWindowBits <= client.incomingWindowBits)
        #expect(ours.parameters.serverMaxWindowBits <= server.outgoingWindowBits)
        #expect(ours.parameters.clientMaxWindowBits <= server.incomingWindowBits)
        #expect(client.keepsOutgoingContext || theirs.parameters.clientNoContextTakeover)
    }

    @Test("options outside their range are taken as the nearest inside it")
    func clamped() {
        let low = Options {
            $0.level = -1
            $0.memoryLevel = 0
            $0.threshold = -5
            $0.outgoingWindowBits = 7
            $0.incomingWindowBits = .min
            $0.maxRatio = 0
            $0.ratioFreeBytes = -1
        }
        #expect([low.level, low.memoryLevel, low.threshold] == [1, 1, 0])
        #expect([low.outgoingWindowBits, low.incomingWindowBits] == [8, 8])
        #expect(low.maxRatio == 1 && low.ratioFreeBytes == 0)
        let high = Options {
            $0.level = 10
            $0.memoryLevel = 10
            $0.outgoingWindowBits = 16
            $0.incomingWindowBits = .max
            $0.maxRatio = nil
        }
        #expect([high.level, high.memoryLevel] == [9, 9])
        #expect([high.outgoingWindowBits, high.incomingWindowBits] == [15, 15])
        #expect(high.maxRatio == nil)
    }
}
