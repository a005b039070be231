import HTTPWire
import NIOCore
import WebSocketWire

/// permessage-deflate. The byte behind the choice picks the agreement, the rest is what the peer sends, or what is
/// sent to it.
enum FuzzDeflate {
    private struct Agreement: Sendable {
        let client: PerMessageDeflate
        let server: PerMessageDeflate
        /// zlib notices a reference beyond the window only where its output was already taken away: only with the
        /// largest window, which no reference leaves, pieces do not matter.
        let hasFullWindows: Bool
    }

    /// Values that every input copies: zlib's contexts are made by the copies.
    private static let agreements: [Agreement] = [
        .init { $0.threshold = 0 },
        .init {
            $0.threshold = 0
            $0.keepsIncomingContext = false
            $0.keepsOutgoingContext = false
        },
        .init {
            $0.threshold = 0
            $0.incomingWindowBits = 8
            $0.outgoingWindowBits = 8
            $0.memoryLevel = 1
        },
        .init {
            $0.threshold = 20
            $0.level = 1
            $0.maxRatio = 10
            $0.ratioFreeBytes = 100
        },
    ].compactMap(agree)

    private static func agree(_ options: WebSocketDeflateOptions) -> Agreement? {
        guard let url = try? WebSocketURL("ws://a.test/"),
            var client = try? ClientHandshake(
                url: url, compression: .deflate(options), nonce: Array("the sample nonce".utf8))
        else { return nil }
        var parser = HeadParser(mode: .strict, limits: .serving)
        var request = client.request()
        guard let head = try? parser.parseRequest(&request), let handshake = try? ServerHandshake(head),
            let server = handshake.deflate(for: .deflate(options))
        else { return nil }
        _ = client.receive(handshake.accept(extensions: [server.parameters.description]).response)
        guard let agreed = client.deflate else { return nil }
        return Agreement(
            client: agreed, server: server,
            hasFullWindows: options.incomingWindowBits == 15 && options.outgoingWindowBits == 15)
    }

    static func run(_ bytes: ByteBuffer, choice: UInt8) {
        var bytes = bytes
        precondition(agreements.count == 4, "our two sides agree")
        guard let pick = bytes.readInteger(as: UInt8.self) else { return }
        let agreement = agreements[Int(pick & 3)]
        switch choice & 3 {
        case 0: frames(bytes, agreement, .client, hasRatio: pick & 3 == 3)
        case 1: frames(bytes, agreement, .server, hasRatio: pick & 3 == 3)
        case 2: payload(bytes, agreement.client)
        default: roundTrip(bytes, agreement, pick)
        }
    }

    private static let limits = WebSocketLimits { $0.maxMessageBytes = 5000 }

    private static func machine(_ role: WebSocketRole, _ agreement: Agreement) -> WebSocketMachine {
        WebSocketMachine(
            role: role, limits: limits, maskingKey: { 0x37fa_213d },
            transform: role == .client ? agreement.client : agreement.server)
    }

    /// Whatever comes: no message is over its limit, and how the bytes are cut does not matter.
    private static func frames(
        _ bytes: ByteBuffer, _ agreement: Agreement, _ role: WebSocketRole, hasRatio: Bool
    ) {
        let whole = feed([bytes], machine(role, agreement))
        let single = feed(
            bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) }, machine(role, agreement))
        // The ratio is looked at as pieces come: one that is too high for a moment fails only where it is seen.
        if agreement.hasFullWindows, !hasRatio {
            precondition(whole == single, "byte by byte and whole must come to the same")
        }
        for case .message(let message) in whole + single {
            precondition(message.byteCount <= limits.maxMessageBytes, "a message over the limit")
            echo(message, agreement, from: role)
        }
    }

    private static func feed(
        _ pieces: [ByteBuffer], _ machine: WebSocketMachine
    ) -> [WebSocketMachine.Action] {
        var machine = machine
        var outbound = ByteBuffer()
        var actions: [WebSocketMachine.Action] = []
        for piece in pieces {
            machine.receive(piece)
            next: while true {
                let action = machine.nextAction(outbound: &outbound)
                precondition(
                    machine.bufferedBytes <= limits.maxMessageBytes + piece.readableBytes + 14,
                    "more is held than the limit")
                switch action {
                case .needMore: break next
                // Which of two wrongs is seen first depends on the pieces.
                case .failed:
                    actions.append(.failed(WebSocketProtocolError(closeCode: .protocolError, detail: "")))
                default: actions.append(action)
                }
            }
        }
        return actions
    }

    private static func echo(_ message: WebSocketMessage, _ agreement: Agreement, from role: WebSocketRole) {
        var sender = machine(role, agreement)
        var receiver = machine(role == .client ? .server : .client, agreement)
        for _ in 0..<2 {
            var outbound = ByteBuffer()
            guard (try? sender.send(message, outbound: &outbound)) != nil else {
                preconditionFailure("an open machine sends")
            }
            receiver.receive(outbound)
            let action = receiver.nextAction(outbound: &outbound)
            // A message over the ratio that came is one that may not be sent back.
            if case .failed(let error) = action, error.closeCode == .messageTooBig { return }
            precondition(action == .message(message), "an echo must arrive as it was sent")
        }
    }

    /// One message's payload without frames, as a whole, byte by byte, and by a copy made in its middle.
    private static func payload(_ bytes: ByteBuffer, _ deflate: PerMessageDeflate) {
        var (first, second) = (deflate, deflate)
        let whole = decode([bytes], &first)
        let single = decode(bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) }, &second)
        if let whole { precondition(whole.readableBytes <= 5000, "a message over the limit") }
        if let single { precondition(single.readableBytes <= 5000, "a message over the limit") }

        var original = deflate
        var message = ByteBuffer()
        let half = ByteBuffer(bytes: bytes.readableBytesView.prefix(bytes.readableBytes / 2))
        let rest = ByteBuffer(bytes: bytes.readableBytesView.dropFirst(bytes.readableBytes / 2))
        guard (try? original.decode(half, isLast: false, limit: 5000, into: &message)) != nil else { return }
        var copy = original
        var copied = message
        let ours: Void? = try? original.decode(rest, isLast: true, limit: 5000, into: &message)
        let theirs: Void? = try? copy.decode(rest, isLast: true, limit: 5000, into: &copied)
        precondition((ours == nil) == (theirs == nil) && message == copied, "a copy goes on by itself")
    }

    private static func decode(_ pieces: [ByteBuffer], _ deflate: inout PerMessageDeflate) -> ByteBuffer? {
        var message = ByteBuffer()
        for (index, piece) in pieces.enumerated() {
            let isLast = index == pieces.count - 1
            guard (try? deflate.decode(piece, isLast: isLast, limit: 5000, into: &message)) != nil else {
                return nil
            }
            precondition(message.readableBytes <= 5000, "a message over the limit")
        }
        return message
    }

    /// The bytes as messages and fragments of our own: each arrives as it was sent. A byte of 0 to 31 in front of a
    /// piece tells its length, the next bit whether it ends its message.
    private static func roundTrip(_ bytes: ByteBuffer, _ agreement: Agreement, _ pick: UInt8) {
        var bytes = bytes
        let role: WebSocketRole = pick & 0x80 == 0 ? .client : .server
        var sender = machine(role, agreement)
        var receiver = machine(role == .client ? .server : .client, agreement)
        var message = ByteBuffer()
        while let control = bytes.readInteger(as: UInt8.self) {
            let count = min(Int(control & 0x1F) * (control & 0x80 == 0 ? 1 : 60), bytes.readableBytes)
            let piece = bytes.readSlice(length: count) ?? ByteBuffer()
            let isLast = control & 0x20 != 0
            var outbound = ByteBuffer()
            guard
                (try? sender.send(fragment: piece, opcode: .binary, fin: isLast, outbound: &outbound)) != nil
            else { preconditionFailure("an open machine sends") }
            message.writeImmutableBuffer(piece)
            receiver.receive(outbound)
            let action = receiver.nextAction(outbound: &outbound)
            if case .failed(let error) = action, error.closeCode == .messageTooBig { return }
            precondition(
                action == (isLast ? .message(.binary(message)) : .needMore), "what is sent must arrive")
            if isLast { message.clear() }
        }
    }
}
