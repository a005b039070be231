import NIOCore
import Synchronization
import Testing
import WebSocketWire

@Suite("The WebSocket machine, sending")
struct WebSocketMachineSendingTests {
    /// Brings a machine into each state it can be in.
    enum State: CaseIterable, Sendable {
        case open, sendingFragments, closeSent, closed, failed, ended

        func machine() throws -> WebSocketMachine {
            var machine = Wire.machine(.server)
            var outbound = ByteBuffer()
            switch self {
            case .open: break
            case .sendingFragments:
                try machine.send(
                    fragment: ByteBuffer(string: "a"), opcode: .text, fin: false, outbound: &outbound)
            case .closeSent: try machine.sendClose(.normalClosure, outbound: &outbound)
            case .closed: _ = machine.feed(Wire.frame(0x88, mask: 1))
            case .failed: _ = machine.feed(Wire.frame(0x83, mask: 1))
            case .ended: _ = machine.receiveEOF()
            }
            return machine
        }
    }

    enum Event: CaseIterable, Sendable {
        case text, binary, firstFragment, continuation, lastFragment, ping, pong, close

        func send(_ machine: inout WebSocketMachine, _ outbound: inout ByteBuffer) throws(WebSocketSendError)
        {
            let bytes = ByteBuffer(string: "x")
            switch self {
            case .text: try machine.send(.text("x"), outbound: &outbound)
            case .binary: try machine.send(.binary(bytes), outbound: &outbound)
            case .firstFragment:
                try machine.send(fragment: bytes, opcode: .binary, fin: false, outbound: &outbound)
            case .continuation:
                try machine.send(fragment: bytes, opcode: .continuation, fin: false, outbound: &outbound)
            case .lastFragment:
                try machine.send(fragment: bytes, opcode: .text, fin: true, outbound: &outbound)
            case .ping: try machine.sendPing(bytes, outbound: &outbound)
            case .pong: try machine.sendPong(bytes, outbound: &outbound)
            case .close: try machine.sendClose(.goingAway, reason: "x", outbound: &outbound)
            }
        }
    }

    /// What each event comes to in each state: the frame written, or the error.
    private static func expectation(_ state: State, _ event: Event) -> Result<String, WebSocketSendError> {
        switch (state, event) {
        case (.open, .text): .success("81 01 78")
        case (.open, .binary): .success("82 01 78")
        case (.open, .firstFragment): .success("02 01 78")
        case (.open, .continuation): .failure(.noMessageInProgress)
        case (.open, .lastFragment): .success("81 01 78")
        case (.sendingFragments, .text), (.sendingFragments, .binary): .failure(.messageInProgress)
        case (.sendingFragments, .firstFragment): .failure(.wrongOpcode)
        case (.sendingFragments, .continuation): .success("00 01 78")
        case (.sendingFragments, .lastFragment): .success("80 01 78")
        case (.open, .ping), (.sendingFragments, .ping): .success("89 01 78")
        case (.open, .pong), (.sendingFragments, .pong): .success("8a 01 78")
        case (.open, .close), (.sendingFragments, .close): .success("88 03 03e9 78")
        case (.closeSent, .close), (.closed, .close), (.failed, .close), (.ended, .close): .success("")
        case (.closeSent, _), (.closed, _), (.failed, _), (.ended, _): .failure(.closed)
        }
    }

    @Test("every event in every state", arguments: State.allCases, Event.allCases)
    func matrix(state: State, event: Event) throws {
        var machine = try state.machine()
        let wasOpen = machine.isOpen
        var outbound = ByteBuffer()
        switch Self.expectation(state, event) {
        case .success(let hex):
            try event.send(&machine, &outbound)
            #expect(outbound == Wire.hex(hex))
        case .failure(let expected):
            #expect(throws: expected) { try event.send(&machine, &outbound) }
            #expect(outbound.readableBytes == 0, "an error writes nothing")
        }
        #expect(machine.isOpen == (wasOpen && event != .close))
        #expect(wasOpen == (state == .open || state == .sendingFragments))
    }

    @Test("control payloads have at most 125 bytes", arguments: [0, 1, 125, 126, 1000])
    func controlLength(length: Int) throws {
        let payload = ByteBuffer(repeating: 1, count: length)
        var machine = Wire.machine(.client)
        var outbound = ByteBuffer()
        if length <= 125 {
            try machine.sendPing(payload, outbound: &outbound)
            try machine.sendPong(payload, outbound: &outbound)
            var peer = Wire.machine(.server)
            #expect(peer.feed(outbound).actions == [.ping(payload), .pong(payload)])
        } else {
            #expect(throws: WebSocketSendError.controlTooLong(length)) {
                try machine.sendPing(payload, outbound: &outbound)
            }
            #expect(throws: WebSocketSendError.controlTooLong(length)) {
                try machine.sendPong(payload, outbound: &outbound)
            }
        }
    }

    @Test("a close reason has at most 123 bytes of UTF-8 and needs a code")
    func closeReason() throws {
        var machine = Wire.machine(.client)
        var outbound = ByteBuffer()
        #expect(throws: WebSocketSendError.controlTooLong(124)) {
            try machine.sendClose(
                .normalClosure, reason: String(repeating: "é", count: 62), outbound: &outbound)
        }
        #expect(throws: WebSocketSendError.reasonWithoutCode) {
            try machine.sendClose(nil, reason: "why", outbound: &outbound)
        }
        #expect(machine.isOpen)
        let longest = String(repeating: "é", count: 61) + "x"
        try machine.sendClose(.normalClosure, reason: longest, outbound: &outbound)
        var peer = Wire.machine(.server)
        #expect(
            peer.feed(outbound).actions == [.closing(WebSocketClose(code: .normalClosure, reason: longest))])
    }

    @Test("a close without a code is an empty frame")
    func emptyClose() throws {
        var machine = Wire.machine(.server)
        var outbound = ByteBuffer()
        try machine.sendClose(nil, outbound: &outbound)
        #expect(outbound == Wire.hex("88 00"))
    }

    @Test("the fragments of a text must be UTF-8, and may split a character")
    func textFragments() throws {
        var machine = Wire.machine(.client)
        var outbound = ByteBuffer()
        try machine.send(fragment: Wire.hex("f09f"), opcode: .text, fin: false, outbound: &outbound)
        let before = outbound
        #expect(throws: WebSocketSendError.invalidUTF8) {
            try machine.send(fragment: Wire.hex("28"), opcode: .continuation, fin: false, outbound: &outbound)
        }
        #expect(throws: WebSocketSendError.invalidUTF8) {
            try machine.send(fragment: Wire.hex("a6"), opcode: .continuation, fin: true, outbound: &outbound)
        }
        #expect(outbound == before, "a refused fragment leaves the message as it was")
        try machine.sendPing(ByteBuffer(), outbound: &outbound)
        try machine.send(fragment: Wire.hex("a686"), opcode: .text, fin: true, outbound: &outbound)
        var peer = Wire.machine(.server)
        #expect(peer.feed(outbound).actions == [.ping(ByteBuffer()), .message(.text("🦆"))])
    }

    @Test("control frames are no fragments", arguments: [WebSocketOpcode.close, .ping, .pong])
    func controlOpcodes(opcode: WebSocketOpcode) {
        var machine = Wire.machine(.client)
        var outbound = ByteBuffer()
        #expect(throws: WebSocketSendError.wrongOpcode) {
            try machine.send(fragment: ByteBuffer(), opcode: opcode, fin: true, outbound: &outbound)
        }
    }

    @Test("every frame of a client has its own masking key, a server has none")
    func maskingKeys() throws {
        let keys = KeySource()
        var client = WebSocketMachine(role: .client, limits: .init(), maskingKey: { keys.next() })
        var outbound = ByteBuffer()
        try client.send(.binary(ByteBuffer(bytes: [0])), outbound: &outbound)
        try client.sendPing(ByteBuffer(bytes: [0]), outbound: &outbound)
        try client.sendClose(nil, outbound: &outbound)
        #expect(outbound == Wire.hex("82 81 00000001 00 89 81 00000002 00 88 80 00000003"))
    }
}

/// Counts up from one. The lock is the standard library's way to share a number with a `@Sendable` closure.
private final class KeySource: Sendable {
    private let last = Mutex<UInt32>(0)

    func next() -> UInt32 {
        last.withLock { value in
            value += 1
            return value
        }
    }
}
