import NIOCore
import Testing
import WebSocketWire

@Suite("Two machines talking")
struct RoundTripTests {
    /// Something to send and what the other side must make of it.
    private static func randomMessage(_ generator: inout SeededGenerator) -> WebSocketMessage {
        let sizes = [0, 1, 5, 124, 125, 126, 127, 1000, 65_535, 65_536, 100_000]
        let count = sizes.randomElement(using: &generator, or: 0)
        if Bool.random(using: &generator) {
            let pieces = ["a", "é", "日", "🦆"]
            var text = ""
            while text.utf8.count < count { text += pieces.randomElement(using: &generator, or: "") }
            return .text(text)
        }
        return .binary(
            ByteBuffer(bytes: (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }))
    }

    /// Sends in frames cut anywhere, with pings in between.
    private static func sendFragments(
        _ message: WebSocketMessage, by machine: inout WebSocketMachine, outbound: inout ByteBuffer,
        pings: inout Int, _ generator: inout SeededGenerator
    ) throws {
        var rest: ByteBuffer
        let opcode: WebSocketOpcode
        switch message {
        case .text(let text): (rest, opcode) = (ByteBuffer(string: text), .text)
        case .binary(let bytes): (rest, opcode) = (bytes, .binary)
        }
        var isLast = false
        while !isLast {
            let count = Int.random(in: 0...max(1, rest.readableBytes), using: &generator)
            let piece = rest.readSlice(length: min(count, rest.readableBytes)) ?? ByteBuffer()
            isLast = rest.readableBytes == 0
            try machine.send(fragment: piece, opcode: opcode, fin: isLast, outbound: &outbound)
            if Bool.random(using: &generator) {
                try machine.sendPing(ByteBuffer(integer: pings), outbound: &outbound)
                pings += 1
            }
        }
    }

    @Test("random messages, fragments, pings and splits arrive as they were sent", arguments: 0..<40)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let role: WebSocketRole = seed.isMultiple(of: 2) ? .client : .server
        var sender = Wire.machine(role)
        var receiver = Wire.machine(role == .client ? .server : .client)
        var outbound = ByteBuffer()
        var sent: [WebSocketMessage] = []
        var pings = 0
        for _ in 0..<12 {
            let message = Self.randomMessage(&generator)
            sent.append(message)
            if Bool.random(using: &generator) {
                try sender.send(message, outbound: &outbound)
            } else {
                try Self.sendFragments(message, by: &sender, outbound: &outbound, pings: &pings, &generator)
            }
        }
        try sender.sendClose(.normalClosure, reason: "done", outbound: &outbound)

        var outcome = Outcome()
        while outbound.readableBytes > 0 {
            let count = min(outbound.readableBytes, Int.random(in: 1...40_000, using: &generator))
            guard let piece = outbound.readSlice(length: count) else { break }
            receiver.receive(piece)
            receiver.drain(into: &outcome)
        }
        var messages: [WebSocketMessage] = []
        var pinged = 0
        var close: WebSocketClose?
        for action in outcome.actions {
            switch action {
            case .message(let message): messages.append(message)
            case .ping: pinged += 1
            case .closing(let value): close = value
            case .needMore, .pong, .fragment, .failed: Issue.record("\(action)")
            }
        }
        #expect(messages == sent)
        #expect(pinged == pings)
        #expect(close == WebSocketClose(code: .normalClosure, reason: "done"))

        // Back at the sender: a pong for every ping, then the echo of the close frame.
        let answers = sender.feed(outcome.outbound).actions
        #expect(answers.count == pings + 1)
        #expect(answers.last == .closing(WebSocketClose(code: .normalClosure)))
        #expect(sender.closeReceived)
    }

    @Test("a byte count is that of the UTF-8")
    func byteCount() {
        #expect(WebSocketMessage.text("aé🦆").byteCount == 7)
        #expect(WebSocketMessage.binary(ByteBuffer(bytes: [1, 2])).byteCount == 2)
    }
}
