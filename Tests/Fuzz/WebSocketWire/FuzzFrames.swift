import NIOCore
import WebSocketWire

/// The machine, both roles: how the bytes are cut must not matter, what is held is bounded by what came, and what is
/// written is itself good frames.
enum FuzzFrames {
    struct Outcome: Equatable {
        var actions: [WebSocketMachine.Action] = []
        var outbound = ByteBuffer()
        var close: WebSocketClose?
    }

    static func run(_ bytes: ByteBuffer, role: WebSocketRole, choice: UInt8) {
        let limits = WebSocketLimits {
            if choice & 0x80 != 0 {
                $0.maxMessageBytes = 300
                $0.maxFrameBytes = 200
                $0.maxFragments = 4
            }
        }
        let closesFirst = choice & 0x40 != 0
        let whole = feed([bytes], role, limits, closesFirst)
        let single = feed(bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) }, role, limits, closesFirst)
        precondition(whole == single, "byte by byte and whole must come to the same")
        let middle = bytes.readableBytes / 2
        let halves = [
            ByteBuffer(bytes: bytes.readableBytesView.prefix(middle)),
            ByteBuffer(bytes: bytes.readableBytesView.dropFirst(middle)),
        ]
        precondition(
            feed(halves, role, limits, closesFirst) == whole, "in two halves and whole must come to the same")

        for case .message(let message) in whole.actions {
            precondition(message.byteCount <= limits.maxMessageBytes, "a message over the limit")
            checkEcho(message, role)
        }
        checkOutbound(whole.outbound, role)
    }

    private static func machine(_ role: WebSocketRole, _ limits: WebSocketLimits = .init())
        -> WebSocketMachine
    {
        WebSocketMachine(role: role, limits: limits, maskingKey: { 0x37fa_213d })
    }

    private static func feed(
        _ pieces: [ByteBuffer], _ role: WebSocketRole, _ limits: WebSocketLimits, _ closesFirst: Bool
    ) -> Outcome {
        var machine = machine(role, limits)
        var outcome = Outcome()
        if closesFirst {
            do {
                try machine.sendClose(.goingAway, reason: "", outbound: &outcome.outbound)
            } catch {
                preconditionFailure("1001 may be sent")
            }
        }
        var received = 0
        for piece in pieces {
            received += piece.readableBytes
            machine.receive(piece)
            next: while true {
                let action = machine.nextAction(outbound: &outcome.outbound)
                precondition(machine.bufferedBytes <= received, "more is held than came")
                if case .needMore = action { break next }
                outcome.actions.append(action)
            }
        }
        let wasClosed = machine.closeReceived
        let close = machine.receiveEOF()
        precondition(wasClosed || close.code == .abnormalClosure, "an end without a close frame is 1006")
        precondition(!machine.isOpen && machine.bufferedBytes == 0, "nothing is left after the end")
        outcome.close = close
        return outcome
    }

    /// A message that came in can be sent, and arrives as it was.
    private static func checkEcho(_ message: WebSocketMessage, _ role: WebSocketRole) {
        var sender = machine(role)
        var receiver = machine(role == .client ? .server : .client)
        var outbound = ByteBuffer()
        do {
            try sender.send(message, outbound: &outbound)
        } catch {
            preconditionFailure("an open machine sends")
        }
        receiver.receive(outbound)
        var answer = ByteBuffer()
        precondition(
            receiver.nextAction(outbound: &answer) == .message(message), "an echo must arrive as it was sent")
        precondition(answer.readableBytes == 0, "a message is not answered")
    }

    /// What a machine writes by itself is pongs and at most one close frame, at the end.
    private static func checkOutbound(_ outbound: ByteBuffer, _ role: WebSocketRole) {
        var peer = machine(role == .client ? .server : .client)
        peer.receive(outbound)
        var answer = ByteBuffer()
        var isOver = false
        while true {
            let action = peer.nextAction(outbound: &answer)
            precondition(!isOver || action == .needMore, "nothing follows a close frame")
            switch action {
            case .needMore:
                precondition(peer.bufferedBytes == 0, "only whole frames are written")
                return
            case .pong: break
            case .closing: isOver = true
            case .message, .fragment, .ping, .failed: preconditionFailure("the machine wrote \(action)")
            }
        }
    }
}
