import NIOCore
import Testing
import WebSocketWire

@Suite("A broken rule that is held back")
struct HeldFailureTests {
    /// A masked ping, then a frame with a reserved bit.
    private static let bytes: [UInt8] = [0x89, 0x80, 0, 0, 0, 0, 0xA1, 0x80, 0, 0, 0, 0]

    @Test("the connection stays open for sending until the caller lets the failure out")
    func held() throws {
        var machine = WebSocketMachine(role: .server, maskingKey: { 0 })
        machine.receive(ByteBuffer(bytes: Self.bytes))
        var outbound = ByteBuffer()
        let ping = machine.nextAction(outbound: &outbound, holdsFailure: true)
        #expect(ping == .ping(ByteBuffer()))
        let held = machine.nextAction(outbound: &outbound, holdsFailure: true)
        #expect(held == .needMore)
        #expect(machine.heldFailure != nil)
        try machine.send(.text("answer"), outbound: &outbound)
        // What comes behind is thrown away.
        machine.receive(ByteBuffer(bytes: Self.bytes))
        let failed = machine.nextAction(outbound: &outbound)
        guard case .failed(let error) = failed else {
            Issue.record("\(failed)")
            return
        }
        #expect(error.closeCode == .protocolError)
        #expect(machine.heldFailure == nil)
        let end = machine.nextAction(outbound: &outbound)
        #expect(end == .needMore)
        let start: [UInt8] = [0x8A, 0, 0x81, 6] + Array("answer".utf8) + [0x88]
        #expect(Array(outbound.readableBytesView.prefix(start.count)) == start)
    }

    @Test("an end of the input while it is held is the end")
    func endOfInput() {
        var machine = WebSocketMachine(role: .server, maskingKey: { 0 })
        machine.receive(ByteBuffer(bytes: Self.bytes))
        var outbound = ByteBuffer()
        for _ in 0..<2 { _ = machine.nextAction(outbound: &outbound, holdsFailure: true) }
        let close = machine.receiveEOF()
        #expect(close.code == .abnormalClosure)
    }
}
