import CulvertTunnel
import CulvertWebSocket
import HTTPTypes
import HTTPWire
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TestSupport
import Testing

private func connect<Result>(
    to server: Authority,
    path: String = "/",
    _ configure: (inout WebSocketClient.Configuration) -> Void = { _ in },
    _ body: (WebSocket) async throws -> Result
) async throws -> Result {
    let client = WebSocketClient(
        configuration: .init {
            $0.proxy = .none
            configure(&$0)
        })
    return try await client.withConnection(to: "ws://\(server)\(path)", body)
}

/// Sends the text and returns all that comes until the server closes.
private func exchange(_ request: String, with server: Authority) async throws -> String {
    try await Dialer(.init { $0.proxy = .none }).withStream(to: server) { stream in
        try await stream.write(request)
        var answer = ByteBuffer()
        for try await bytes in stream { answer.writeImmutableBuffer(bytes) }
        return String(buffer: answer)
    }
}

@Suite("The WebSocket server")
struct WebSocketServerTests {
    @Test("messages of every size class come back, plain and compressed", arguments: [false, true])
    func echoes(compressed: Bool) async throws {
        try await withServer {
            if compressed { $0.upgrade.compression = .deflate() }
        } _: { server in
            try await connect(to: server) {
                if compressed { $0.compression = .deflate() }
            } _: { socket in
                #expect((socket.compression != nil) == compressed)
                for size in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
                    let message = WebSocketMessage.binary(ByteBuffer(repeating: 0xA5, count: size))
                    try await socket.send(message)
                    #expect(try await socket.receive() == message)
                }
                try await socket.send("señor")
                #expect(try await socket.receive() == .text("señor"))
            }
        }
    }

    @Test("the application sees the request, and chooses subprotocol and fields of the answer")
    func request() async throws {
        try await withServer {
            $0.upgrade.headerFields[.server] = "culvert"
            $0.onUpgrade = { upgrade in
                .accept(
                    subprotocol: upgrade.subprotocols.last,
                    headerFields: [.setCookie: upgrade.request.path ?? ""])
            }
        } serve: { socket in
            try await socket.send(socket.request.path ?? "none")
            try await echoMessages(socket)
        } _: { server in
            try await connect(to: server, path: "/a?b=c") {
                $0.subprotocols = ["one", "two"]
            } _: { socket in
                #expect(socket.subprotocol == "two")
                #expect(socket.response.headerFields[.setCookie] == "/a?b=c")
                #expect(socket.response.headerFields[.server] == "culvert")
                let first = try await socket.receive()
                #expect(first == .text("/a?b=c"))
            }
        }
    }

    @Test("of the offered subprotocols the client's first that the server speaks is chosen")
    func subprotocol() async throws {
        try await withServer {
            $0.upgrade.subprotocols = ["a", "b"]
        } _: { server in
            for (offer, chosen) in [(["x", "b", "a"], "b"), (["x"], nil), ([], nil)] as [([String], String?)]
            {
                try await connect(to: server) {
                    $0.subprotocols = offer
                } _: { socket in
                    #expect(socket.subprotocol == chosen)
                }
            }
        }
    }

    @Test("the application refuses with a status, a reason and fields")
    func refusal() async throws {
        try await withServer {
            $0.onUpgrade = { _ in
                .refuse(.unauthorized, reason: "who are you?", headerFields: [.wwwAuthenticate: "Basic"])
            }
        } _: { server in
            let error = await #expect(throws: WebSocketError.self) {
                try await connect(to: server) { _ in }
            }
            guard case .upgradeRefused(let refusal)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(refusal.response.status == .unauthorized)
            #expect(refusal.response.headerFields[.wwwAuthenticate] == "Basic")
            #expect(refusal.body == "who are you?\n")
        }
    }

    @Test("a decision that throws is 500")
    func failedDecision() async throws {
        try await withServer {
            $0.onUpgrade = { _ in throw Unexpected(what: "no database") }
        } _: { server in
            let answer = try await exchange(upgradeRequest, with: server)
            #expect(answer.hasPrefix("HTTP/1.1 500 "))
            #expect(!answer.contains("database"))
        }
    }

    @Test("a browser's page of another origin is refused, unless its origin is let in")
    func origins() async throws {
        try await withServer { server in
            for (origin, isLetIn) in [
                ("http://\(server)", true), ("http://127.0.0.1", false), ("https://evil.example", false),
                ("null", false),
            ] {
                let request = upgradeRequest.replacing("server.example.com", with: "\(server)")
                    .replacing("Upgrade: ", with: "Origin: \(origin)\r\nUpgrade: ")
                let status = try await status(of: request, from: server)
                #expect(status == (isLetIn ? "101" : "403"), "\(origin)")
            }
        }
        try await withServer {
            $0.upgrade.origins = .listed(["https://App.example", "null"])
        } _: { server in
            for (origin, isLetIn) in [
                ("https://app.example", true), ("https://app.example:443", true),
                ("http://app.example", false),
                ("null", true), ("https://app.example.evil.example", false),
            ] {
                let request = upgradeRequest.replacing("Upgrade: ", with: "Origin: \(origin)\r\nUpgrade: ")
                let status = try await status(of: request, from: server)
                #expect(status == (isLetIn ? "101" : "403"), "\(origin)")
            }
        }
    }

    @Test("a request that is no upgrade is answered 426, a malformed one 400")
    func otherRequests() async throws {
        try await withServer { server in
            let plain = try await exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n", with: server)
            #expect(plain.hasPrefix("HTTP/1.1 426 "))
            #expect(plain.contains("\r\nUpgrade: websocket\r\n"))
            let malformed = try await exchange("GET / HTTP/1.1\r\nHost : a\r\n\r\n", with: server)
            #expect(malformed.hasPrefix("HTTP/1.1 400 "))
            let old = try await exchange(
                upgradeRequest.replacing("Version: 13", with: "Version: 8"), with: server)
            #expect(old.hasPrefix("HTTP/1.1 426 "))
            #expect(old.contains("\r\nSec-WebSocket-Version: 13\r\n"))
        }
    }

    @Test("the application answers requests that are no upgrade")
    func handedRequests() async throws {
        try await withServer {
            $0.onOtherRequest = { plain in
                plain.respond(
                    HTTPResponse(status: .ok, headerFields: [.contentType: "text/html"]),
                    body: ByteBuffer(string: "you want \(plain.request.path ?? "")"))
            }
        } _: { server in
            let page = try await exchange("GET /page HTTP/1.1\r\nHost: a\r\n\r\n", with: server)
            #expect(page.hasPrefix("HTTP/1.1 200 "))
            #expect(page.hasSuffix("\r\n\r\nyou want /page"))
            let head = try await exchange("HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n", with: server)
            #expect(head.contains("\r\nContent-Length: 14\r\n"))
            #expect(head.hasSuffix("\r\n\r\n"))
            try await connect(to: server) { socket in
                try await socket.send("both")
                #expect(try await socket.receive() == .text("both"))
            }
        }
    }

    @Test("frames in the packet of the request are not lost, and the server closes TCP first")
    func framesBehindTheRequest() async throws {
        try await withServer { server in
            // "Hello" masked, as in RFC 6455 §5.7, and a masked close frame with 1000.
            let hello: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
            let close: [UInt8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]
            let echo: [UInt8] = [0x81, 0x05] + Array("Hello".utf8)
            try await Dialer(.init { $0.proxy = .none }).withStream(to: server) { stream in
                var bytes = ByteBuffer(string: upgradeRequest)
                bytes.writeBytes(hello)
                try await stream.write(bytes)
                var answer = ByteBuffer()
                var hasClosed = false
                for try await bytes in stream {
                    answer.writeImmutableBuffer(bytes)
                    guard !hasClosed, answer.readableBytesView.suffix(echo.count).elementsEqual(echo) else {
                        continue
                    }
                    hasClosed = true
                    try await stream.write(ByteBuffer(bytes: close))
                }
                let expected = echo + [0x88, 0x02, 0x03, 0xE8]
                #expect(Array(answer.readableBytesView.suffix(expected.count)) == expected)
            }
        }
    }

    @Test("a closure that throws closes with 1011, one that returns with 1000")
    func closeCodes() async throws {
        try await withServer(serve: { socket in
            if socket.request.path == "/throw" { throw Unexpected(what: "a bug") }
        }) { server in
            for (path, code) in [("/throw", WebSocketCloseCode.internalError), ("/", .normalClosure)] {
                try await connect(to: server, path: path) { socket in
                    _ = try? await socket.receive()
                    #expect(socket.closeStatus?.code == code)
                    #expect(socket.closeStatus?.reason == "")
                }
            }
        }
    }

    @Test("a message over the limit ends the connection with 1009")
    func limits() async throws {
        try await withServer {
            $0.upgrade.limits.maxMessageBytes = 1000
        } _: { server in
            try await connect(to: server) { socket in
                try await socket.send(ByteBuffer(repeating: 0, count: 1001))
                _ = try? await socket.receive()
                #expect(socket.closeStatus?.code == .messageTooBig)
            }
        }
    }

    @Test("who says nothing is dropped, and who dawdles over the head gets 408")
    func openTimeout() async throws {
        try await withServer {
            $0.upgrade.openTimeout = .seconds(2)
        } _: { server in
            #expect(try await exchange("", with: server) == "")
            let answer = try await exchange("GET / HT", with: server)
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test("connections over the limit are closed, and there is room again when one ends")
    func maxConnections() async throws {
        try await withServer {
            $0.maxConnections = 1
        } _: { server in
            try await connect(to: server) { socket in
                await #expect(throws: (any Error).self) { try await connect(to: server) { _ in } }
                try await socket.send("still here")
                #expect(try await socket.receive() == .text("still here"))
            }
            for attempt in 0... {
                do {
                    try await connect(to: server) { _ in }
                    return
                } catch {
                    guard attempt < 100 else { throw error }
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
        }
    }

    @Test("a graceful shutdown closes with 1001, and the server ends")
    func gracefulShutdown() async throws {
        let (addresses, listening) = AsyncStream.makeStream(of: SocketAddress.self)
        let server = WebSocketServer(
            try .init {
                $0.addresses = [try SocketAddress(ipAddress: "127.0.0.1", port: 0)]
                $0.onListening = { for address in $0 { listening.yield(address) } }
            }, serve: echoMessages)
        let group = ServiceGroup(services: [server], logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = addresses.makeAsyncIterator()
            let port = try #require(await iterator.next()?.port)
            try await connect(to: Authority(host: "127.0.0.1", port: port)) { socket in
                try await socket.send("open")
                #expect(try await socket.receive() == .text("open"))
                await group.triggerGracefulShutdown()
                #expect(try await socket.receive() == nil)
                #expect(socket.closeStatus?.code == .goingAway)
            }
            try await tasks.waitForAll()
        }
    }

    @Test("listens on a Unix socket")
    func unixSocket() async throws {
        try await withUnixSocketPath { path in
            let (addresses, listening) = AsyncStream.makeStream(of: SocketAddress.self)
            let server = WebSocketServer(
                try .init {
                    $0.addresses = [try SocketAddress(unixDomainSocketPath: path)]
                    $0.onListening = { for address in $0 { listening.yield(address) } }
                }, serve: echoMessages)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                var iterator = addresses.makeAsyncIterator()
                #expect(await iterator.next()?.pathname == path)
                let answer = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
                let client = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(FirstBytes(answer))
                        }
                    }
                    .connect(unixDomainSocketPath: path).get()
                try await client.writeAndFlush(ByteBuffer(string: upgradeRequest)).get()
                let head = try await answer.futureResult.get()
                #expect(head.hasPrefix("HTTP/1.1 101 "))
                try await client.close().get()
                group.cancelAll()
            }
        }
    }
}

/// Keeps a promise with the first bytes that come.
private final class FirstBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<String>

    init(_ promise: EventLoopPromise<String>) {
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.promise.succeed(String(buffer: Self.unwrapInboundIn(data)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.promise.fail(ChannelError.eof)
    }
}

/// The status of an answer whose connection may stay open.
private func status(of request: String, from server: Authority) async throws -> String {
    try await Dialer(.init { $0.proxy = .none }).withStream(to: server) { stream in
        try await stream.write(request)
        for try await bytes in stream {
            return String(String(buffer: bytes).dropFirst("HTTP/1.1 ".count).prefix(3))
        }
        return ""
    }
}

private func withUnixSocketPath(_ body: (String) async throws -> Void) async throws {
    let path = "/tmp/culvert-\(UInt64.random(in: .min ... .max)).sock"
    try await body(path)
}
