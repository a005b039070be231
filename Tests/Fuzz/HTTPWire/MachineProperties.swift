import HTTPTypes
import HTTPWire
import NIOCore

/// What must hold of the two machines for any octets.
enum MachineProperties {
    static func client(_ bytes: [UInt8]) {
        guard let target = try? Authority("a.test:443") else { return }
        let whole = client(bytes, to: target, packet: bytes.count)
        let drip = client(bytes, to: target, packet: 1)
        switch (whole, drip) {
        case (.established(let one, let leftover), .established(let other, let rest)):
            require(one == other && leftover == rest, "a tunnel stands the same byte by byte, no byte lost")
        case (.refused(let one), .refused(let other)):
            require(one.response == other.response, "a refusal is the same byte by byte")
        case (.challenged(let one, let challenges, _), .challenged(let other, let others, _)):
            require(one.response == other.response && challenges == others, "a challenge is the same")
        case (.needMore, .needMore), (.failed, .failed):
            break
        default:
            require(false, "an answer has one meaning however it is cut")
        }
    }

    private static func client(
        _ bytes: [UInt8], to target: Authority, packet: Int
    ) -> ConnectClientMachine.Action {
        var machine = ConnectClientMachine(target: target, maxRefusalBody: 64)
        require(machine.start(proxyAuthorization: nil).readableBytes > 0, "a request is written")
        var action = ConnectClientMachine.Action.needMore
        for start in stride(from: 0, to: bytes.count, by: max(1, packet)) {
            let slice = ByteBuffer(bytes: bytes[start..<min(bytes.count, start + packet)])
            switch action {
            case .needMore:
                action = machine.receive(slice)
            case .established(let head, var leftover):
                leftover.writeImmutableBuffer(slice)
                action = .established(head, leftover: leftover)
            case .challenged, .refused, .failed:
                return action
            }
        }
        if case .needMore = action { _ = machine.receiveEOF() }
        return action
    }

    /// The octets are packets of seven; what the machine asks is answered by the first octet's bits.
    static func server(_ bytes: [UInt8]) {
        guard let verdicts = bytes.first else { return }
        let rejection = Rejection(status: 403, reason: "fuzz", text: "no")
        var machine = ConnectServerMachine(requiresAuthentication: verdicts & 1 == 0, maxEarlyBytes: 16)
        var isClosed = false
        for start in stride(from: 1, to: bytes.count, by: 7) {
            var action = machine.receive(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + 7)]))
            if isClosed { require(action == .needMore, "nothing is parsed behind a closing answer") }
            while let next = answer(action, verdicts, rejection, &machine) { action = next }
            switch action {
            case .reject(let response, let rejection, let after):
                checkResponse(response, rejection)
                isClosed = after == .close
            case .establish(_, let early, _):
                require(early.readableBytes <= bytes.count, "no more early bytes than came")
                return
            case .forward:
                // Another property's subject; here its bytes would be read as none.
                return
            case .needMore, .pauseReading, .close, .linger, .authenticate, .authorise, .dial:
                break
            }
        }
        _ = verdicts & 32 == 0 ? machine.receiveEOF() : machine.headDeadlineExpired()
    }

    private static func answer(
        _ action: ConnectServerMachine.Action, _ verdicts: UInt8, _ rejection: Rejection,
        _ machine: inout ConnectServerMachine
    ) -> ConnectServerMachine.Action? {
        switch action {
        case .authenticate:
            verdicts & 2 == 0 ? machine.authenticated() : machine.authenticationFailed(challenges: ["Basic"])
        case .authorise:
            verdicts & 4 == 0 ? machine.authorised() : machine.denied(rejection)
        case .dial:
            // Bit 8: the dial stays under way, and bytes are held.
            verdicts & 8 == 0
                ? nil : verdicts & 16 == 0 ? machine.dialSucceeded() : machine.dialFailed(rejection)
        case .needMore, .pauseReading, .establish, .reject, .forward, .linger, .close:
            nil
        }
    }

    private static func checkResponse(_ response: ByteBuffer, _ rejection: Rejection) {
        var buffer = response
        var parser = HeadParser(mode: .strict, limits: .answer)
        let head = try? parser.parseResponse(&buffer)
        require(head?.response.status.code == rejection.status, "a rejection is a response")
        require(
            rejection.reason.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f },
            "a rejection's reason is safe to log")
    }
}
