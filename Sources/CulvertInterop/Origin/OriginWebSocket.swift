internal import HTTPWire
internal import NIOCore
internal import WebSocketWire

/// The server's side of a WebSocket, with the project's own codec.
struct OriginWebSocket {
    /// What becomes of messages.
    enum Behavior: Hashable {
        /// Each comes back as it was.
        case echo
        /// The first one is answered by closing with 4000 and "bye".
        case close4000
        /// Nothing is said. Pings and closes are answered even so.
        case silent
    }

    /// Chosen when it is among those offered.
    static let subprotocol = "culvert.echo"
    /// 64 MiB: four times the largest message of a scenario.
    private static let maxMessageBytes = 64 << 20

    private let behavior: Behavior
    private let stream: DuplexStream
    private var machine: WebSocketMachine

    /// Answers the upgrade, and serves the WebSocket to its end.
    static func serve(
        _ behavior: Behavior, _ request: RequestHead, leftover: ByteBuffer, on stream: DuplexStream
    ) throws {
        let handshake: ServerHandshake
        do throws(ServerHandshakeRefusal) {
            handshake = try ServerHandshake(request)
        } catch {
            return try stream.write(error.serialize())
        }
        let deflate = handshake.deflate(for: .deflate())
        let answers = deflate.map { [$0.parameters.description] } ?? []
        let (response, _) = handshake.accept(extensions: answers) { offered in
            offered.contains(subprotocol) ? subprotocol : nil
        }
        try stream.write(response)
        var socket = OriginWebSocket(behavior, stream, transform: deflate)
        socket.machine.receive(leftover)
        try socket.run()
    }

    private init(_ behavior: Behavior, _ stream: DuplexStream, transform: (any PayloadTransform)?) {
        self.behavior = behavior
        self.stream = stream
        // A server masks nothing, so the key is never asked for.
        self.machine = WebSocketMachine(
            role: .server, limits: WebSocketLimits { $0.maxMessageBytes = Self.maxMessageBytes },
            maskingKey: { 0 }, transform: transform)
    }

    private mutating func run() throws {
        while try act() {
            guard let bytes = try stream.read() else {
                _ = machine.receiveEOF()
                return
            }
            machine.receive(bytes)
        }
    }

    /// Everything that was received; false when the WebSocket is over.
    private mutating func act() throws -> Bool {
        var outbound = ByteBuffer()
        var isOver = false
        actions: while !isOver {
            switch machine.nextAction(outbound: &outbound) {
            case .needMore: break actions
            case .message(let message): try answer(message, outbound: &outbound)
            case .ping, .pong, .fragment: break
            case .closing, .failed: isOver = true
            }
            // One message at a time, however many came.
            try stream.write(outbound)
            outbound.clear()
        }
        try stream.write(outbound)
        return !isOver
    }

    private mutating func answer(_ message: WebSocketMessage, outbound: inout ByteBuffer) throws {
        // A message that came behind our close frame has no answer.
        guard machine.isOpen else { return }
        switch behavior {
        case .echo: try machine.send(message, outbound: &outbound)
        case .close4000:
            try machine.sendClose(WebSocketCloseCode(rawValue: 4000), reason: "bye", outbound: &outbound)
        case .silent: break
        }
    }
}
