import NIOCore
import Testing
import WebSocketWire

@Suite("The WebSocket machine, receiving")
struct WebSocketMachineTests {
    // MARK: RFC 6455 §5.7, byte for byte

    @Test("RFC 6455 §5.7: a single-frame unmasked text message")
    func rfcUnmasked() {
        var machine = Wire.machine(.client)
        #expect(machine.feed(Wire.hex("81 05 48 65 6c 6c 6f")).actions == [.message(.text("Hello"))])
    }

    @Test("RFC 6455 §5.7: a single-frame masked text message, both ways")
    func rfcMasked() throws {
        let bytes = Wire.hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")
        var server = Wire.machine(.server)
        #expect(server.feed(bytes).actions == [.message(.text("Hello"))])

        var client = Wire.machine(.client)
        var outbound = ByteBuffer()
        try client.send(.text("Hello"), outbound: &outbound)
        #expect(outbound == bytes)
    }

    @Test("RFC 6455 §5.7: a fragmented unmasked text message")
    func rfcFragmented() {
        var machine = Wire.machine(.client)
        let outcome = machine.feed([Wire.hex("01 03 48 65 6c"), Wire.hex("80 02 6c 6f")])
        #expect(outcome.actions == [.message(.text("Hello"))])
    }

    @Test("RFC 6455 §5.7: a ping and its masked pong")
    func rfcPing() {
        var client = Wire.machine(.client)
        let outcome = client.feed(Wire.hex("89 05 48 65 6c 6c 6f"))
        #expect(outcome.actions == [.ping(ByteBuffer(string: "Hello"))])
        #expect(outcome.outbound == Wire.hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"))

        var server = Wire.machine(.server)
        #expect(server.feed(outcome.outbound).actions == [.pong(ByteBuffer(string: "Hello"))])
    }

    @Test(
        "RFC 6455 §5.7: 256 bytes and 64 KiB in a single frame",
        arguments: [("82 7e 0100", 256), ("82 7f 0000000000010000", 65_536)])
    func rfcLong(head: String, length: Int) throws {
        let payload = ByteBuffer(repeating: 0x5A, count: length)
        let frame = Wire.join([Wire.hex(head), payload])
        var client = Wire.machine(.client)
        #expect(client.feed(frame).actions == [.message(.binary(payload))])

        var server = Wire.machine(.server)
        var outbound = ByteBuffer()
        try server.send(.binary(payload), outbound: &outbound)
        #expect(outbound == frame)
    }

    // MARK: Splits

    /// A conversation with everything in it, as sent to a role.
    private static func conversation(mask: UInt32?) -> ByteBuffer {
        Wire.join([
            Wire.frame(0x81, Array("Hello".utf8), mask: mask),
            Wire.frame(0x01, Array("κό".utf8.dropLast()), mask: mask),
            Wire.frame(0x89, Array("are you there".utf8), mask: mask),
            Wire.frame(0x00, [], mask: mask),
            Wire.frame(0x80, Array("κό".utf8.suffix(1)) + Array("σμε".utf8), mask: mask),
            Wire.frame(0x82, [UInt8](repeating: 0xFE, count: 300), mask: mask),
            Wire.frame(0x82, [], mask: mask), Wire.frame(0x81, [], mask: mask),
            Wire.frame(0x8A, [], mask: mask),
            Wire.frame(0x88, [0x03, 0xE8] + Array("bye".utf8), mask: mask),
            Wire.frame(0x81, Array("behind the close".utf8), mask: mask),
        ])
    }

    private static let expected: [WebSocketMachine.Action] = [
        .message(.text("Hello")), .ping(ByteBuffer(string: "are you there")), .message(.text("κόσμε")),
        .message(.binary(ByteBuffer(repeating: 0xFE, count: 300))), .message(.binary(ByteBuffer())),
        .message(.text("")), .pong(ByteBuffer()),
        .closing(WebSocketClose(code: .normalClosure, reason: "bye")),
    ]

    @Test(
        "whole, byte by byte and at every split a conversation comes to the same",
        arguments: [WebSocketRole.client, .server])
    func splits(role: WebSocketRole) {
        let bytes = Self.conversation(mask: role == .server ? 0x8899_aabb : nil)
        var whole = Wire.machine(role)
        let outcome = whole.feed(bytes)
        #expect(outcome.actions == Self.expected)

        var byByte = Wire.machine(role)
        #expect(byByte.feed(bytes.singleBytes) == outcome)

        for index in 0...bytes.readableBytes {
            var machine = Wire.machine(role)
            #expect(machine.feed(bytes.split(at: index)) == outcome)
        }
    }

    @Test("received bytes may pile up before anybody asks")
    func pileUp() {
        var machine = Wire.machine(.server)
        var outcome = Outcome()
        for byte in Self.conversation(mask: 7).singleBytes { machine.receive(byte) }
        machine.drain(into: &outcome)
        #expect(outcome.actions == Self.expected)
    }

    @Test("the received buffer is not written to")
    func sharedInput() {
        let bytes = Wire.frame(0x82, Array(0..<200), mask: 0xFFFF_FFFF)
        let copy = ByteBuffer(bytes: bytes.readableBytesView)
        var machine = Wire.machine(.server)
        #expect(machine.feed(bytes).actions == [.message(.binary(ByteBuffer(bytes: Array(UInt8(0)..<200))))])
        #expect(bytes == copy)
    }

    // MARK: Rules of messages

    @Test(
        "frames in an order that RFC 6455 §5.4 forbids",
        arguments: [
            (["80 01 61"], "without a message to continue"), (["00 01 61"], "without a message to continue"),
            (["81 01 61", "80 01 61"], "without a message to continue"),
            (["01 01 61", "81 01 61"], "inside a fragmented one"),
            (["01 01 61", "01 01 61"], "inside a fragmented one"),
            (["02 01 61", "82 01 61"], "inside a fragmented one"),
            (["01 01 61", "89 00", "82 00"], "inside a fragmented one"),
        ])
    func order(frames: [String], rule: String) {
        var machine = Wire.machine(.client)
        let outcome = machine.feed(frames.map(Wire.hex))
        guard case .failed(let error) = outcome.actions.last else {
            Issue.record("\(outcome.actions)")
            return
        }
        #expect(error.closeCode == .protocolError)
        #expect(error.detail.contains(rule))
    }

    @Test("bad UTF-8 fails while its frame is still coming, with 1007")
    func textFailsFast() {
        // Autobahn 6.4.4: valid, then a byte that cannot continue, inside a frame that promises more.
        var machine = Wire.machine(.client)
        let outcome = machine.feed([Wire.hex("81 15 ceba e1bdb9 cf83 cebc ceb5 f4"), Wire.hex("90")])
        #expect(outcome.actions == [.failed(.invalidText("a text message that is not UTF-8"))])
        var server = Wire.machine(.server)
        #expect(
            server.feed(outcome.outbound).actions == [
                .closing(WebSocketClose(code: .invalidPayload, reason: "a text message that is not UTF-8"))
            ])
    }

    @Test(
        "text that is not UTF-8 fails however it comes",
        arguments: [
            ["81 02 c328"], ["81 01 c3"], ["01 01 c3", "80 00"], ["01 01 c3", "80 01 28"],
            ["01 00", "80 01 ff"],
            ["81 03 eda080"], ["01 02 eda0", "80 01 80"],
        ])
    func badText(frames: [String]) {
        let bytes = Wire.join(frames.map(Wire.hex))
        for pieces in [[bytes], bytes.singleBytes] {
            var machine = Wire.machine(.client)
            #expect(
                machine.feed(pieces).actions == [.failed(.invalidText("a text message that is not UTF-8"))])
        }
    }

    @Test("binary messages may hold anything")
    func binaryIsNotChecked() {
        var machine = Wire.machine(.client)
        let outcome = machine.feed(Wire.hex("02 01 c3 80 02 ff28"))
        #expect(outcome.actions == [.message(.binary(Wire.hex("c3ff28")))])
    }

    // MARK: Limits

    private static let small = WebSocketLimits {
        $0.maxMessageBytes = 10
        $0.maxFrameBytes = 8
        $0.maxFragments = 3
    }

    @Test(
        "limits, in frames from a server",
        arguments: [
            (["82 08 0000000000000000"], nil), (["82 09"], .messageTooBig),
            (["02 08 0000000000000000", "80 02 0000"], nil),
            (["02 08 0000000000000000", "80 03"], .messageTooBig),
            (["02 00", "00 00", "80 00"], nil), (["02 00", "00 00", "00 00", "00 00"], .policyViolation),
            (["02 00", "89 00", "89 00", "89 00", "89 00", "80 00"], nil),
            (["89 09 000000000000000000"], nil),
        ] as [([String], WebSocketCloseCode?)])
    func limits(frames: [String], code: WebSocketCloseCode?) {
        let bytes = Wire.join(frames.map(Wire.hex))
        for pieces in [[bytes], bytes.singleBytes] {
            var machine = Wire.machine(.client, limits: Self.small)
            let outcome = machine.feed(pieces)
            if case .failed(let error) = outcome.actions.last {
                #expect(error.closeCode == code)
            } else {
                #expect(code == nil)
                #expect(!outcome.actions.isEmpty)
            }
        }
    }

    @Test("what a head promises is not reserved, and what came is counted")
    func bufferedBytes() {
        var machine = Wire.machine(.client)
        #expect(machine.bufferedBytes == 0)
        #expect(machine.feed(Wire.hex("82 7f 0000000001000000 010203")).actions.isEmpty)
        #expect(machine.bufferedBytes == 3)
        #expect(machine.feed(Wire.hex("04")).actions.isEmpty)
        #expect(machine.bufferedBytes == 4)
        _ = machine.receiveEOF()
        #expect(machine.bufferedBytes == 0)
    }

    @Test("a small message does not keep the large buffer it came in alive")
    func noPinning() {
        var machine = Wire.machine(.client)
        let large = Wire.frame(0x82, [UInt8](repeating: 0, count: 60_000))
        let outcome = machine.feed(Wire.join([Wire.frame(0x82, [1, 2, 3]), large]))
        guard case .message(.binary(let content)) = outcome.actions.first else {
            Issue.record("\(outcome.actions)")
            return
        }
        #expect(content == ByteBuffer(bytes: [1, 2, 3]))
        #expect(content.storageCapacity < 200)
    }

    // MARK: Closing

    @Test("a close frame is echoed with its code and ends everything")
    func closeIsEchoed() {
        var machine = Wire.machine(.server)
        let outcome = machine.feed(Wire.frame(0x88, [0x03, 0xE9] + Array("zu Ende".utf8), mask: 1))
        #expect(outcome.actions == [.closing(WebSocketClose(code: .goingAway, reason: "zu Ende"))])
        #expect(outcome.outbound == Wire.hex("88 02 03e9"))
        #expect(machine.closeReceived)
        #expect(machine.closeSent)
        #expect(!machine.isOpen)
        #expect(machine.receiveEOF() == WebSocketClose(code: .goingAway, reason: "zu Ende"))
        #expect(machine.feed(Wire.frame(0x89, mask: 1)) == Outcome())
    }

    @Test("an empty close frame is reported as 1005 and answered by an empty one")
    func emptyClose() {
        var machine = Wire.machine(.server)
        let outcome = machine.feed(Wire.frame(0x88, mask: 1))
        #expect(outcome.actions == [.closing(WebSocketClose(code: .noStatusReceived))])
        #expect(outcome.outbound == Wire.hex("88 00"))
        #expect(machine.receiveEOF().code == .noStatusReceived)
    }

    @Test(
        "close frames that break a rule",
        arguments: [
            ("88 01 03", .protocolError), ("88 02 0000", .protocolError), ("88 02 03ed", .protocolError),
            ("88 04 03e8 c328", .invalidPayload), ("88 03 03e8 c3", .invalidPayload),
            ("88 05 03e8 eda080", .invalidPayload),
        ] as [(String, WebSocketCloseCode)])
    func badClose(hex: String, code: WebSocketCloseCode) {
        var machine = Wire.machine(.client)
        let outcome = machine.feed(Wire.hex(hex))
        guard case .failed(let error) = outcome.actions.last else {
            Issue.record("\(outcome.actions)")
            return
        }
        #expect(error.closeCode == code)
        #expect(!machine.closeReceived)
    }

    @Test("after our close frame the peer's messages are delivered until its own comes")
    func nothingIsLost() throws {
        var machine = Wire.machine(.client)
        var outbound = ByteBuffer()
        try machine.sendClose(.normalClosure, outbound: &outbound)
        #expect(machine.closeSent)
        #expect(!machine.closeReceived)
        let outcome = machine.feed(Wire.hex("81 01 61 89 00 01 01 62 80 01 63 88 02 03e8 81 01 64"))
        #expect(
            outcome.actions == [
                .message(.text("a")), .ping(ByteBuffer()), .message(.text("bc")),
                .closing(WebSocketClose(code: .normalClosure)),
            ])
        #expect(outcome.outbound.readableBytes == 0, "nothing follows a close frame, not even a pong")
    }

    @Test("a broken rule after our close frame is reported, and no second close frame is sent")
    func failsAfterClose() throws {
        var machine = Wire.machine(.client)
        var outbound = ByteBuffer()
        try machine.sendClose(.normalClosure, outbound: &outbound)
        let outcome = machine.feed(Wire.hex("83 00"))
        #expect(outcome.actions == [.failed(.violation("reserved opcode 3"))])
        #expect(outcome.outbound.readableBytes == 0)
    }

    @Test("a broken rule is answered by one close frame with the code and the rule; nothing follows")
    func failureIsAnswered() {
        var machine = Wire.machine(.server)
        let outcome = machine.feed([Wire.hex("83 80 00000000"), Wire.frame(0x81, [0x61], mask: 1)])
        #expect(outcome.actions == [.failed(.violation("reserved opcode 3"))])
        #expect(outcome.outbound == Wire.frame(0x88, [0x03, 0xEA] + Array("reserved opcode 3".utf8)))
        #expect(!machine.isOpen)
        #expect(!machine.closeReceived)
        #expect(machine.receiveEOF().code == .abnormalClosure)
    }

    @Test(
        "an EOF without a close frame is 1006, also in the middle of a frame",
        arguments: ["", "81", "81 05 48", "01 01 61", "88 02 03"])
    func abnormal(hex: String) throws {
        var machine = Wire.machine(.client)
        #expect(machine.feed(Wire.hex(hex)).actions.isEmpty)
        #expect(machine.receiveEOF() == WebSocketClose(code: .abnormalClosure))
        #expect(machine.receiveEOF() == WebSocketClose(code: .abnormalClosure))
        #expect(!machine.isOpen)
        #expect(machine.feed(Wire.hex("81 00")) == Outcome())
        var outbound = ByteBuffer()
        #expect(throws: WebSocketSendError.closed) { try machine.send(.text("late"), outbound: &outbound) }
    }

    @Test("an EOF after our close frame, without the peer's, is 1006")
    func abnormalAfterClose() throws {
        var machine = Wire.machine(.server)
        var outbound = ByteBuffer()
        try machine.sendClose(.goingAway, outbound: &outbound)
        #expect(machine.receiveEOF().code == .abnormalClosure)
    }
}
