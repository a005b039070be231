import HTTPWire
import NIOCore
import SOCKSWire

/// What must hold of the client's machine for any answer.
enum ClientProperties {
    static func check(_ bytes: [UInt8], _ version: SOCKSClientMachine.Version) {
        guard let target = try? Authority("a.test:443") else { return }
        let credentials = SOCKSCredentials(user: "alice", password: version == .socks5 ? "secret" : "")
        let machine = SOCKSClientMachine(version, target: target, credentials: credentials)
        let whole = self.run(machine, packets(bytes, of: bytes.count))
        require(
            whole == self.run(machine, packets(bytes, of: 1)), "an answer has one meaning however it is cut")
        guard case .failed(let failure) = whole else { return }
        require(!failure.description.contains("secret"), "no password in an error")
    }

    private static func run(
        _ machine: SOCKSClientMachine, _ packets: [ByteBuffer]
    ) -> SOCKSClientMachine.Action {
        var machine = machine
        var packets = packets[...]
        var action = machine.start()
        while true {
            switch action {
            case .send: action = machine.receive(ByteBuffer())
            case .needMore:
                guard let packet = packets.popFirst() else { return machine.receiveEOF() }
                action = machine.receive(packet)
            case .established(var leftover):
                for packet in packets { leftover.writeImmutableBuffer(packet) }
                return .established(leftover: leftover)
            case .failed: return action
            }
        }
    }
}
