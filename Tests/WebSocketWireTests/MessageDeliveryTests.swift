import NIOCore
import Testing

@testable import WebSocketWire

@Suite("The WebSocket machine, handing out fragments")
struct MessageDeliveryTests {
    private typealias Action = WebSocketMachine.Action

    private static func fragment(
        of kind: WebSocketMessageKind = .text, _ text: String, first: Bool = false, last: Bool = false,
        beyond: Bool = false
    ) -> Action {
        .fragment(
            WebSocketFragment(
                kind: kind, bytes: ByteBuffer(string: text), isFirst: first, isLast: last,
                isBeyondLimit: beyond))
    }

    private static func machine(_ delivery: MessageDelivery, max: Int = 1 << 20) -> WebSocketMachine {
        var machine = Wire.machine(.client, limits: WebSocketLimits { $0.maxMessageBytes = max })
        machine.delivery = delivery
        return machine
    }

    @Test("fragments follow what was received, not the frames; a message that is here at once stays whole")
    func fragments() {
        var machine = Self.machine(.fragments)
        #expect(machine.feed(Wire.hex("81 01 61")).actions == [.message(.text("a"))])
        #expect(machine.feed(Wire.hex("01 02 61")).actions == [Self.fragment("a", first: true)])
        #expect(
            machine.feed(Wire.hex("62 00 01 63 89 00 00 01")).actions == [
                .ping(ByteBuffer()), Self.fragment("bc"),
            ])
        #expect(
            machine.feed(Wire.hex("64 80 00 82 00")).actions == [
                Self.fragment("d", last: true), .message(.binary(ByteBuffer())),
            ])
    }

    @Test(
        "one byte at a time, fragments add up to the message",
        arguments: [MessageDelivery.fragments, .messages])
    func everySplit(delivery: MessageDelivery) {
        var machine = Self.machine(delivery)
        var text = ByteBuffer()
        var lasts = 0
        for action in machine.feed(Wire.hex("01 03 68c3a9 00 00 80 02 c3bc").singleBytes).actions {
            switch action {
            case .fragment(var fragment):
                text.writeBuffer(&fragment.bytes)
                if fragment.isLast { lasts += 1 }
            case .message(let message):
                #expect(delivery == .messages && message == .text("héü"))
                return
            default: Issue.record("\(action)")
            }
        }
        #expect(String(buffer: text) == "héü" && lasts == 1)
    }

    @Test("over the limit: refused, or handed out with a sign from the first byte on")
    func beyondLimit() {
        let start = Wire.hex("82 05 61")
        var strict = Self.machine(.messages, max: 4)
        #expect(strict.feed(start).actions == [.failed(.tooBig("a message of more than 4 bytes"))])
        var lenient = Self.machine(.messagesOrFragments, max: 4)
        #expect(lenient.feed(start).actions == [Self.fragment(of: .binary, "a", first: true, beyond: true)])
        #expect(lenient.feed(Wire.hex("62 63")).actions == [Self.fragment(of: .binary, "bc", beyond: true)])
        #expect(
            lenient.feed(Wire.hex("64 65 82 04 61626364")).actions == [
                Self.fragment(of: .binary, "de", last: true, beyond: true),
                .message(.binary(ByteBuffer(string: "abcd"))),
            ])
        // In several frames the limit is passed by a later one, and counts what was handed out.
        var split = Self.machine(.fragments, max: 4)
        #expect(
            split.feed(Wire.hex("02 03 616263")).actions == [Self.fragment(of: .binary, "abc", first: true)])
        #expect(
            split.feed(Wire.hex("80 02 6465")).actions == [
                Self.fragment(of: .binary, "de", last: true, beyond: true)
            ])
    }

    @Test("text is checked as it is handed out, and at its end", arguments: ["28", "80 00"])
    func invalidText(rest: String) {
        var machine = Self.machine(.fragments)
        _ = machine.feed(Wire.hex(rest == "28" ? "81 04 61 c3" : "01 02 61 c3"))
        let actions = machine.feed(Wire.hex(rest)).actions
        #expect(actions == [.failed(.invalidText("a text message that is not UTF-8"))])
    }

    @Test("changing the delivery hands out what is here; a message begun in fragments goes on in them")
    func change() {
        var machine = Self.machine(.messages)
        #expect(machine.feed(Wire.hex("01 01 61 00 02 62")).actions == [])
        machine.delivery = .fragments
        #expect(machine.feed(ByteBuffer()).actions == [Self.fragment("ab", first: true)])
        machine.delivery = .messages
        #expect(machine.feed(Wire.hex("63")).actions == [Self.fragment("c")])
        #expect(
            machine.feed(Wire.hex("80 01 64 81 01 65")).actions == [
                Self.fragment("d", last: true), .message(.text("e")),
            ])
        #expect(machine.feed(Wire.hex("01 01 61")).actions == [])
    }

    @Test("frames with content may go on for ever, empty ones not")
    func countOfFrames() {
        var machine = Wire.machine(.client, limits: WebSocketLimits { $0.maxFragments = 3 })
        machine.delivery = .fragments
        _ = machine.feed(Wire.hex("02 01 61"))
        for _ in 0..<10 {
            #expect(machine.feed(Wire.hex("00 01 61")).actions == [Self.fragment(of: .binary, "a")])
        }
        #expect(
            machine.feed(Wire.hex("00 00 00 00 00 00")).actions == [
                .failed(.policy("a message of more than 3 frames"))
            ])
    }
}
