import NIOCore
import Testing
import WebSocketWire

/// A stand-in for compression: each byte on the wire stands for itself `factor` times.
private struct Repeating: PayloadTransform {
    var factor: Int
    var minimum = 0

    mutating func decode(
        _ piece: ByteBuffer, isLast: Bool, limit: Int, into message: inout ByteBuffer
    ) throws(WebSocketProtocolError) {
        for byte in piece.readableBytesView {
            if message.readableBytes + factor > limit { throw .tooBig("over \(limit) bytes while decoding") }
            message.writeRepeatingByte(byte, count: factor)
        }
        if isLast { message.writeString("!") }
    }

    mutating func shouldEncode(byteCount: Int?) -> Bool { (byteCount ?? .max) >= minimum }

    mutating func encode(_ piece: ByteBuffer, isLast: Bool) -> ByteBuffer {
        ByteBuffer(
            bytes: piece.readableBytesView.enumerated().filter { $0.offset % factor == 0 }.map(\.element))
    }
}

@Suite("The seam for extensions")
struct PayloadTransformTests {
    @Test("a marked message goes through the transform, in fragments too; an unmarked one does not")
    func decoding() {
        let bytes = Wire.hex("c1 02 6162 81 01 63 41 01 64 89 00 80 01 65 c2 00")
        let expected: [WebSocketMachine.Action] = [
            .message(.text("aabb!")), .message(.text("c")), .ping(ByteBuffer()), .message(.text("ddee!")),
            .message(.binary(ByteBuffer(string: "!"))),
        ]
        for pieces in [[bytes], bytes.singleBytes] {
            var machine = Wire.machine(.client, transform: Repeating(factor: 2))
            #expect(machine.feed(pieces).actions == expected)
        }
    }

    @Test("a message over the limit fails while it is decoded")
    func bomb() {
        let limits = WebSocketLimits { $0.maxMessageBytes = 1000 }
        var machine = Wire.machine(.client, limits: limits, transform: Repeating(factor: 400))
        let outcome = machine.feed(Wire.hex("41 02 6161 80 02 6161"))
        #expect(outcome.actions == [.failed(.tooBig("over 1000 bytes while decoding"))])
    }

    @Test("a transformed frame that promises more than twice the limit is refused at its head")
    func longTransformedFrame() {
        let limits = WebSocketLimits { $0.maxMessageBytes = 1000 }
        for (length, isRefused) in [("07d0", false), ("07d1", false), ("07d2", true)] {
            var machine = Wire.machine(.client, limits: limits, transform: Repeating(factor: 1))
            let outcome = machine.feed(Wire.hex("c2 7e \(length)"))
            #expect(outcome.actions.isEmpty != isRefused)
        }
    }

    @Test("decoded text is checked")
    func decodedText() {
        var machine = Wire.machine(.client, transform: Repeating(factor: 2))
        #expect(
            machine.feed(Wire.hex("41 01 c3")).actions == [
                .failed(.invalidText("a text message that is not UTF-8"))
            ])
    }

    @Test("what is worth it is sent marked, on the first frame only")
    func encoding() throws {
        var machine = Wire.machine(.server, transform: Repeating(factor: 2, minimum: 3))
        var outbound = ByteBuffer()
        try machine.send(.text("aabb"), outbound: &outbound)
        try machine.send(.text("aa"), outbound: &outbound)
        try machine.send(.binary(ByteBuffer(string: "ccc")), outbound: &outbound)
        try machine.send(fragment: ByteBuffer(string: "dd"), opcode: .text, fin: false, outbound: &outbound)
        try machine.sendPing(ByteBuffer(), outbound: &outbound)
        try machine.send(fragment: ByteBuffer(string: "ee"), opcode: .text, fin: true, outbound: &outbound)
        #expect(outbound == Wire.hex("c1 02 6162 81 02 6161 c2 02 6363 41 01 64 89 00 80 01 65"))
    }

    @Test("without an extension the mark is an error")
    func unexpected() {
        var machine = Wire.machine(.client)
        #expect(
            machine.feed(Wire.hex("c1 00")).actions == [
                .failed(.violation("reserved bit 1 is set where no extension uses it"))
            ])
    }
}
