import CulvertTunnel
import CulvertWebSocket
import HTTPWire
import NIOCore
import TestSupport
import Testing
import WebSocketWire

/// What the peer does behind its messages, and the code that it is answered with.
private enum Ending: CaseIterable {
    case close, violation

    var code: WebSocketCloseCode {
        switch self {
        case .close: WebSocketCloseCode(rawValue: 4001)
        case .violation: .protocolError
        }
    }
}

/// The other side, with a machine that plays the client or the server.
private struct Talk {
    var machine: WebSocketMachine
    var messages: [WebSocketMessage] = []
    var close: WebSocketClose?

    init(_ role: WebSocketRole) {
        self.machine = WebSocketMachine(role: role, maskingKey: { 0 })
    }

    /// The messages and what ends the connection, in one piece.
    func frames(_ texts: [String], _ ending: Ending) throws -> ByteBuffer {
        var (machine, bytes) = (self.machine, ByteBuffer())
        for text in texts { try machine.send(.text(text), outbound: &bytes) }
        switch ending {
        case .close: try machine.sendClose(ending.code, outbound: &bytes)
        // Reserved bit 2.
        case .violation: bytes.writeBytes(machine.role == .client ? [0xA1, 0x80, 0, 0, 0, 0] : [0xA1, 0])
        }
        return bytes
    }

    /// Takes what the side under test says, until its close.
    mutating func receive(_ bytes: ByteBuffer) throws {
        var outbound = ByteBuffer()
        self.machine.receive(bytes)
        while true {
            switch self.machine.nextAction(outbound: &outbound) {
            case .needMore: return
            case .message(let message): self.messages.append(message)
            case .closing(let close): self.close = close
            case .failed(let error): throw error
            case .ping, .pong, .fragment: throw Unexpected(what: "no message and no close")
            }
        }
    }
}

/// Sends to a server what a client says, in the packet of its request, and returns the answers.
private func talk(to server: Authority, _ texts: [String], _ ending: Ending) async throws -> Talk {
    try await Dialer(.init { $0.proxy = .none }).withStream(to: server) { stream in
        var talk = Talk(.client)
        var bytes = ByteBuffer(string: upgradeRequest)
        bytes.writeImmutableBuffer(try talk.frames(texts, ending))
        try await stream.write(bytes)
        var answer = ByteBuffer()
        for try await bytes in stream { answer.writeImmutableBuffer(bytes) }
        let head = try #require(answer.readableBytesView.firstRange(of: "\r\n\r\n".utf8))
        answer.moveReaderIndex(to: head.upperBound)
        try talk.receive(answer)
        return talk
    }
}

@Suite("Messages ahead of a close or a broken rule")
struct WebSocketHeldEndTests {
    private let texts = (0..<50).map { "message \($0)" }

    @Test(
        "a server's closure answers all of them, and then the close is answered", arguments: Ending.allCases)
    fileprivate func server(ending: Ending) async throws {
        let texts = self.texts
        try await withServer { server in
            let talk = try await talk(to: server, texts, ending)
            #expect(talk.messages == texts.map(WebSocketMessage.text))
            #expect(talk.close?.code == ending.code)
        }
    }

    @Test("a client's closure does too", arguments: Ending.allCases)
    fileprivate func client(ending: Ending) async throws {
        let texts = self.texts
        let (talks, ended) = AsyncStream.makeStream(of: Talk.self)
        try await withTCPServer { connection in
            defer { ended.finish() }
            var talk = Talk(.server)
            let peer = try await WebSocketTestPeer.accept(connection, behind: try talk.frames(texts, ending))
            while talk.close == nil, let bytes = try await peer.connection.read() { try talk.receive(bytes) }
            ended.yield(talk)
        } _: { server in
            // How it ends is for the server to see.
            try? await WebSocketClient(configuration: .init { $0.proxy = .none })
                .withConnection(to: "ws://\(server)/", echoMessages)
            var iterator = talks.makeAsyncIterator()
            let talk = await iterator.next()
            #expect(talk?.messages == texts.map(WebSocketMessage.text))
            #expect(talk?.close?.code == ending.code)
        }
    }

    @Test(
        "a closure that is never done with a message is waited for until the close timeout",
        arguments: Ending.allCases)
    fileprivate func stuck(ending: Ending) async throws {
        try await withServer {
            $0.upgrade.closeTimeout = .milliseconds(200)
        } serve: { socket in
            _ = try await socket.receive()
            try await Task.sleep(for: .seconds(3600))
        } _: { server in
            let talk = try await talk(to: server, ["one", "two"], ending)
            #expect(talk.messages.isEmpty)
            #expect(talk.close?.code == ending.code)
        }
    }

    @Test(
        "a closure that closes, or ends, behind the peer's close only answers it", arguments: [true, false])
    func closing(closes: Bool) async throws {
        try await withServer(serve: { socket in
            _ = try await socket.receive()
            if closes { try await socket.close(WebSocketCloseCode(rawValue: 4002)) }
        }) { server in
            let talk = try await talk(to: server, ["one"], .close)
            #expect(talk.close?.code == Ending.close.code)
        }
    }
}
