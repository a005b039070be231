import HTTPWire
import NIOCore
import Testing

@testable import WebSocketWire

@Suite("A message prepared for many")
struct WebSocketPreparedMessageTests {
    private static let text = String(repeating: "the quick brown fox jumps over the lazy dog. ", count: 50)

    private func pair(_ configure: (inout WebSocketDeflateOptions) -> Void) throws -> (
        client: WebSocketMachine, server: WebSocketMachine
    ) {
        let options = WebSocketDeflateOptions(configure)
        let accepted = try #require(options.accept(offers: [options.offer.description]))
        let agreed = try options.check(answer: accepted.description)
        return (
            Wire.machine(.client, transform: PerMessageDeflate(role: .client, agreed, options: options)),
            Wire.machine(.server, transform: PerMessageDeflate(role: .server, accepted, options: options))
        )
    }

    private func send(_ prepared: WebSocketPreparedMessage, _ machine: inout WebSocketMachine) throws
        -> ByteBuffer
    {
        var outbound = ByteBuffer()
        try machine.send(prepared, outbound: &outbound)
        return outbound
    }

    @Test("a server's plain frame is the one it would write alone, and two connections share its bytes")
    func plain() throws {
        let prepared = WebSocketPreparedMessage(.text(Self.text))
        var (first, second) = (Wire.machine(.server), Wire.machine(.server))
        var expected = ByteBuffer()
        try first.send(.text(Self.text), outbound: &expected)
        let frames = [try self.send(prepared, &first), try self.send(prepared, &second)]
        #expect(frames.allSatisfy { $0 == expected })
        let addresses = frames.map { $0.withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress) } }
        #expect(addresses[0] == addresses[1])
    }

    @Test("a client's is masked anew")
    func masked() throws {
        let prepared = WebSocketPreparedMessage(.binary(ByteBuffer(string: "abc")))
        var client = Wire.machine(.client)
        var server = Wire.machine(.server)
        let frame = try self.send(prepared, &client)
        #expect(frame.readableBytes == 9)
        #expect(server.feed(frame).actions == [.message(.binary(ByteBuffer(string: "abc")))])
    }

    @Test(
        "compressed ones mix with others on a connection, with and without context takeover",
        arguments: [true, false], [15, 9])
    func compressed(keepsContext: Bool, windowBits: Int) throws {
        var (client, server) = try self.pair {
            $0.threshold = 0
            $0.keepsOutgoingContext = keepsContext
            $0.keepsIncomingContext = keepsContext
            $0.outgoingWindowBits = windowBits
        }
        let prepared = WebSocketPreparedMessage(.text(Self.text))
        let own = (0..<4).map { WebSocketMessage.text("\($0) \(Self.text) \($0)") }
        for message in own {
            for isFromServer in [true, false] {
                var outbound = ByteBuffer()
                if isFromServer {
                    try server.send(message, outbound: &outbound)
                    try server.send(prepared, outbound: &outbound)
                    try server.send(message, outbound: &outbound)
                } else {
                    try client.send(message, outbound: &outbound)
                    try client.send(prepared, outbound: &outbound)
                    try client.send(message, outbound: &outbound)
                }
                #expect(outbound.readableBytes < 3 * Self.text.utf8.count / 2)
                let expected: [WebSocketMachine.Action] = [
                    .message(message), .message(prepared.message), .message(message),
                ]
                #expect((isFromServer ? client : server).copyFed(outbound) == expected)
                if isFromServer { _ = client.feed(outbound) } else { _ = server.feed(outbound) }
            }
        }
    }

    @Test("a small one goes plain, and so does an empty one")
    func small() throws {
        var (client, server) = try self.pair { $0.threshold = 100 }
        for message in [WebSocketMessage.text("small"), .text("")] {
            let frame = try self.send(WebSocketPreparedMessage(message), &server)
            #expect(frame.readableBytes == 2 + message.byteCount)
            #expect(client.feed(frame).actions == [.message(message)])
        }
    }

    @Test("not in the middle of another message, and not after the close")
    func refused() throws {
        let prepared = WebSocketPreparedMessage(.text("x"))
        var server = Wire.machine(.server)
        var outbound = ByteBuffer()
        try server.send(fragment: ByteBuffer(), opcode: .text, fin: false, outbound: &outbound)
        #expect(throws: WebSocketSendError.messageInProgress) {
            try server.send(prepared, outbound: &outbound)
        }
        try server.sendClose(.normalClosure, outbound: &outbound)
        #expect(throws: WebSocketSendError.closed) { try server.send(prepared, outbound: &outbound) }
    }
}

extension WebSocketMachine {
    /// What a copy of the machine makes of the bytes.
    fileprivate func copyFed(_ bytes: ByteBuffer) -> [Action] {
        var copy = self
        return copy.feed(bytes).actions
    }
}
