import NIOCore
import Testing
import WebSocketWire

@Suite("Whole messages in one read")
struct WholeMessageTests {
    private static let key: UInt32 = 0xA1B2_C3D4

    private static func payload(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
    }

    /// Small and large, control frames between, one message in two frames, text.
    private static func frames(mask: UInt32?) -> [ByteBuffer] {
        [
            Wire.frame(0x82, payload(1, 5), mask: mask), Wire.frame(0x82, [], mask: mask),
            Wire.frame(0x81, Array("Grüße".utf8), mask: mask), Wire.frame(0x89, [1, 2], mask: mask),
            Wire.frame(0x82, payload(2, 1024), mask: mask), Wire.frame(0x82, payload(3, 1025), mask: mask),
            Wire.frame(0x02, payload(4, 10), mask: mask), Wire.frame(0x8A, [], mask: mask),
            Wire.frame(0x80, payload(4, 20), mask: mask), Wire.frame(0x82, payload(5, 70_000), mask: mask),
            Wire.frame(0x82, payload(6, 300), mask: mask),
        ]
    }

    private static let expected: [WebSocketMachine.Action] = [
        .message(.binary(ByteBuffer(bytes: payload(1, 5)))), .message(.binary(ByteBuffer())),
        .message(.text("Grüße")), .ping(ByteBuffer(bytes: [1, 2])),
        .message(.binary(ByteBuffer(bytes: payload(2, 1024)))),
        .message(.binary(ByteBuffer(bytes: payload(3, 1025)))), .pong(ByteBuffer()),
        .message(.binary(ByteBuffer(bytes: payload(4, 10) + payload(4, 20)))),
        .message(.binary(ByteBuffer(bytes: payload(5, 70_000)))),
        .message(.binary(ByteBuffer(bytes: payload(6, 300)))),
    ]

    @Test(
        "however the bytes are cut, and held ones are not written over by later reads",
        arguments: [WebSocketRole.client, .server])
    func cuts(role: WebSocketRole) async {
        let mask = role == .server ? Self.key : nil
        let wire = Wire.join(Self.frames(mask: mask))
        // The cuts around every small frame, and a few inside the large one.
        let cuts = Array(0..<1200) + [2300, 2600, 30_000, wire.readableBytes - 301, wire.readableBytes - 1]
        for cut in cuts {
            // Tests with deadlines share this thread.
            await Task.yield()
            var machine = Wire.machine(role)
            // Twice: the second time buffers are used again.
            let outcome = machine.feed(wire.split(at: cut) + wire.split(at: cut))
            if outcome.actions != Self.expected + Self.expected {
                Issue.record("cut at \(cut)")
                return
            }
        }
    }

    @Test("the buffer that was received is never written to")
    func received() {
        let wire = Wire.join(Self.frames(mask: Self.key))
        let before = ByteBuffer(bytes: wire.readableBytesView)
        var machine = Wire.machine(.server)
        #expect(machine.feed(wire).actions == Self.expected)
        #expect(wire == before)
    }

    @Test(
        "a broken rule behind good frames is found behind them", arguments: [WebSocketRole.client, .server])
    func brokenRule(role: WebSocketRole) {
        let mask = role == .server ? Self.key : nil
        var machine = Wire.machine(role)
        let good = Wire.frame(0x82, [1], mask: mask)
        // A reserved opcode, then a frame that looks good.
        let actions = machine.feed(Wire.join([good, Wire.frame(0x83, [2], mask: mask), good])).actions
        #expect(actions.count == 2)
        #expect(actions.first == .message(.binary(ByteBuffer(bytes: [1]))))
        guard case .failed = actions.last else {
            Issue.record("\(actions)")
            return
        }
    }

    @Test("a detached message pins no more than twice its size")
    func detached() throws {
        var machine = Wire.machine(.client)
        let frames = (0..<60).map { Wire.frame(0x82, Self.payload($0, 16)) }
        for action in machine.feed(Wire.join(frames)).actions {
            guard case .message(let message) = action, case .binary(let bytes) = message.detached else {
                Issue.record("\(action)")
                return
            }
            #expect(bytes.storageCapacity <= 2 * 16 + 64)
            #expect(message.detached == message)
        }
    }

    @Test("a slice of a large read is copied out of it")
    func largeRead() {
        var machine = Wire.machine(.client)
        let frames = (0..<600).map { Wire.frame(0x82, Self.payload($0, 16)) }
        for action in machine.feed(Wire.join(frames)).actions {
            guard case .message(.binary(let bytes)) = action else {
                Issue.record("\(action)")
                return
            }
            #expect(bytes.storageCapacity <= 4 << 10)
        }
    }
}
