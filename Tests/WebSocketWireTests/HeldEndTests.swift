import NIOCore
import Testing
import WebSocketWire

@Suite("An end that is held back")
struct HeldEndTests {
    /// A masked ping, then a frame with a reserved bit.
    private static let violation: [UInt8] = [0x89, 0x80, 0, 0, 0, 0, 0xA1, 0x80, 0, 0, 0, 0]
    /// A masked ping, then a close frame with 1000.
    private static let close: [UInt8] = [0x89, 0x80, 0, 0, 0, 0, 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]

    @Test(
        "the connection stays open for sending until the caller lets the end out",
        arguments: [(Self.violation, WebSocketCloseCode.protocolError), (Self.close, .normalClosure)])
    func held(bytes: [UInt8], code: WebSocketCloseCode) throws {
        var machine = WebSocketMachine(role: .server, maskingKey: { 0 })
        machine.receive(ByteBuffer(bytes: bytes))
        var outbound = ByteBuffer()
        let ping = machine.nextAction(outbound: &outbound, holdsEnd: true)
        #expect(ping == .ping(ByteBuffer()))
        var isHeld = machine.holdsEnd
        #expect(!isHeld)
        for _ in 0..<2 {
            let held = machine.nextAction(outbound: &outbound, holdsEnd: true)
            #expect(held == .needMore)
            isHeld = machine.holdsEnd
            #expect(isHeld)
        }
        try machine.send(.text("answer"), outbound: &outbound)
        // What comes behind is thrown away.
        machine.receive(ByteBuffer(bytes: bytes))
        #expect(machine.bufferedBytes == 0)
        switch machine.nextAction(outbound: &outbound) {
        case .failed(let error): #expect(error.closeCode == code)
        case .closing(let close): #expect(close.code == code)
        case let action: Issue.record("\(action)")
        }
        isHeld = machine.holdsEnd
        #expect(!isHeld)
        let end = machine.nextAction(outbound: &outbound)
        #expect(end == .needMore)
        let start: [UInt8] = [0x8A, 0, 0x81, 6] + Array("answer".utf8) + [0x88]
        #expect(Array(outbound.readableBytesView.prefix(start.count)) == start)
    }

    @Test(
        "behind our own close frame nothing is held: nothing can be sent",
        arguments: [Self.violation, Self.close])
    func closing(bytes: [UInt8]) throws {
        var machine = WebSocketMachine(role: .server, maskingKey: { 0 })
        var outbound = ByteBuffer()
        try machine.sendClose(.goingAway, outbound: &outbound)
        machine.receive(ByteBuffer(bytes: bytes))
        _ = machine.nextAction(outbound: &outbound, holdsEnd: true)
        let end = machine.nextAction(outbound: &outbound, holdsEnd: true)
        #expect(end != .needMore)
        let isHeld = machine.holdsEnd
        #expect(!isHeld)
    }

    @Test(
        "an end of the input while it is held is the end",
        arguments: [(Self.violation, WebSocketCloseCode.abnormalClosure), (Self.close, .normalClosure)])
    func endOfInput(bytes: [UInt8], code: WebSocketCloseCode) {
        var machine = WebSocketMachine(role: .server, maskingKey: { 0 })
        machine.receive(ByteBuffer(bytes: bytes))
        var outbound = ByteBuffer()
        for _ in 0..<2 { _ = machine.nextAction(outbound: &outbound, holdsEnd: true) }
        let close = machine.receiveEOF()
        #expect(close.code == code)
        #expect(!machine.isOpen)
    }
}
