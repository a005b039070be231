import NIOCore
import WebSocketWire

/// Frames in and out of the machine, as both roles: what is done for every message.
struct FrameBenchmarks {
    let stopwatch: Stopwatch

    private static let sizes = [16, 1 << 10, 64 << 10]

    func run() throws {
        for size in Self.sizes {
            for isText in [false, true] {
                let message = Self.message(size, isText: isText)
                let kind = isText ? "text" : "binary"
                try self.serialise("client writes \(kind)", .client, message)
                try self.serialise("server writes \(kind)", .server, message)
                try self.parse("client reads \(kind)", .client, message)
                try self.parse("server reads \(kind)", .server, message)
            }
        }
    }

    private static func message(_ size: Int, isText: Bool) -> WebSocketMessage {
        isText
            ? .text(String(repeating: "x", count: size))
            : .binary(ByteBuffer(repeating: UInt8(ascii: "x"), count: size))
    }

    private static func machine(_ role: WebSocketRole) -> WebSocketMachine {
        WebSocketMachine(role: role, maskingKey: { 0x1234_5678 })
    }

    /// As many as a buffer of 64 KiB takes, at most 64.
    private static func batch(_ message: WebSocketMessage) -> Int {
        max(1, min(64, (64 << 10) / (message.byteCount + 14)))
    }

    /// Messages into one buffer that is used again, as a shell that coalesces them does.
    private func serialise(
        _ name: String, _ role: WebSocketRole, _ message: WebSocketMessage
    ) throws {
        var machine = Self.machine(role)
        var outbound = ByteBuffer()
        let count = Self.batch(message)
        try self.stopwatch.measure(name, bytes: message.byteCount, operations: count) {
            outbound.clear()
            for _ in 0..<count { try machine.send(message, outbound: &outbound) }
        }
    }

    /// A read's worth of frames, message after message; each is let go before the next.
    private func parse(
        _ name: String, _ role: WebSocketRole, _ message: WebSocketMessage
    ) throws {
        let count = Self.batch(message)
        var wire = ByteBuffer()
        var peer = Self.machine(role == .client ? .server : .client)
        for _ in 0..<count { try peer.send(message, outbound: &wire) }
        var machine = Self.machine(role)
        var outbound = ByteBuffer()
        try self.stopwatch.measure(name, bytes: message.byteCount, operations: count) {
            machine.receive(wire)
            for _ in 0..<count {
                guard case .message(let received) = machine.nextAction(outbound: &outbound),
                    received.byteCount == message.byteCount
                else { throw LoadError("a message was lost") }
            }
            guard case .needMore = machine.nextAction(outbound: &outbound) else {
                throw LoadError("a message too many")
            }
        }
    }
}
