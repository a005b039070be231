import HTTPWire
import NIOCore
import WebSocketWire

/// permessage-deflate through both machines, as a handshake agrees to it.
struct DeflateBenchmarks {
    let stopwatch: Stopwatch

    func run() throws {
        for size in [1 << 10, 64 << 10] {
            for level in [1, 6] {
                var options = WebSocketDeflateOptions()
                options.level = level
                try self.compress(size, options, "level \(level)")
            }
            try self.compress(size, .init { $0.keepsOutgoingContext = false }, "no context")
            try self.inflate(size)
        }
    }

    /// Records as a feed sends them: much is the same in each, and something is new.
    private static func record(_ size: Int) -> WebSocketMessage {
        var text = ""
        var number: UInt32 = 1
        while text.utf8.count < size {
            number = number &* 1_664_525 &+ 1_013_904_223
            text += #"{"symbol":"ABC","price":\#(number >> 16),"size":\#(number & 0xFF),"venue":"XNAS"},"#
        }
        return .text(String(text.prefix(size)))
    }

    private func compress(
        _ size: Int, _ options: WebSocketDeflateOptions, _ name: String
    ) throws {
        var server = try Self.open(options).server
        let message = Self.record(size)
        var outbound = ByteBuffer()
        try self.stopwatch.measure("deflate, \(name)", bytes: size) {
            outbound.clear()
            try server.send(message, outbound: &outbound)
            guard outbound.readableBytes < size else { throw LoadError("nothing was compressed") }
        }
    }

    private func inflate(_ size: Int) throws {
        // Without context the same frame can come again and again.
        var options = WebSocketDeflateOptions()
        options.keepsOutgoingContext = false
        options.keepsIncomingContext = false
        var (client, server) = try Self.open(options)
        var wire = ByteBuffer()
        let message = Self.record(size)
        try server.send(message, outbound: &wire)
        var outbound = ByteBuffer()
        try self.stopwatch.measure("inflate", bytes: size) {
            client.receive(wire)
            guard client.nextAction(outbound: &outbound) == .message(message) else {
                throw LoadError("a message was not inflated")
            }
        }
    }

    /// Both machines, with what a real handshake agrees to.
    private static func open(
        _ options: WebSocketDeflateOptions
    ) throws -> (client: WebSocketMachine, server: WebSocketMachine) {
        var client = try ClientHandshake(
            url: try WebSocketURL("ws://localhost/"), compression: .deflate(options),
            nonce: [UInt8](repeating: 1, count: 16))
        var request = client.request()
        var parser = HeadParser(mode: .strict, limits: .serving)
        guard let head = try parser.parseRequest(&request) else { throw LoadError("half a request") }
        let server = try ServerHandshake(head)
        guard let deflate = server.deflate(for: .deflate(options)) else {
            throw LoadError("the server does not compress")
        }
        let (answer, _) = server.accept(extensions: [deflate.parameters.description])
        guard case .upgraded = client.receive(answer), client.deflate != nil else {
            throw LoadError("the client does not compress")
        }
        return (
            WebSocketMachine(role: .client, maskingKey: { 0 }, transform: client.deflate),
            WebSocketMachine(role: .server, maskingKey: { 0 }, transform: deflate)
        )
    }
}
