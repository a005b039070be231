import HTTPWire
import NIOCore
import SOCKSWire

/// What must hold of the server's machine for any octets.
enum ServerProperties {
    private struct Outcome: Equatable {
        var sent: [UInt8] = []
        var credentials: SOCKSCredentials?
        var target: Authority?
        var refusal: SOCKSRefusal?
        var early: [UInt8]?
    }

    static func check(_ bytes: [UInt8], users: Bool) {
        let whole = self.run(packets(bytes, of: bytes.count), users: users)
        require(whole == self.run(packets(bytes, of: 1), users: users), "the same comes of it byte by byte")
        require(whole == self.run(packets(bytes, of: 3), users: users), "the same comes of it in threes")
        if users { require(whole.target == nil || whole.credentials != nil, "no target before a password") }
        guard let refusal = whole.refusal else { return }
        require(refusal.reason.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a reason is safe to log")
    }

    /// Says yes to everything.
    private static func run(_ packets: [ByteBuffer], users: Bool) -> Outcome {
        var machine = SOCKSServerMachine(requiresAuthentication: users, maxEarlyBytes: 16)
        var outcome = Outcome()
        var isDialing = false
        for packet in packets {
            var action = machine.receive(packet)
            while let next = Self.answer(action, &machine, &outcome) { action = next }
            if case .dial = action { isDialing = true }
        }
        if isDialing, case .establish(let response, let early, _) = machine.dialSucceeded() {
            outcome.sent += response.readableBytesView
            outcome.early = Array(early.readableBytesView)
        }
        return outcome
    }

    private static func answer(
        _ action: SOCKSServerMachine.Action, _ machine: inout SOCKSServerMachine, _ outcome: inout Outcome
    ) -> SOCKSServerMachine.Action? {
        switch action {
        case .send(let bytes):
            outcome.sent += bytes.readableBytesView
            return machine.receive(ByteBuffer())
        case .authenticate(let credentials):
            outcome.credentials = credentials
            return machine.authenticated()
        case .authorise(let target):
            outcome.target = target
            return machine.authorised()
        case .reject(let response, let refusal):
            outcome.sent += response.readableBytesView
            outcome.refusal = refusal
            return nil
        case .needMore, .pauseReading, .dial, .establish, .close: return nil
        }
    }
}
