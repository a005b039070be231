package import NIOCore

/// What the application sends. An error writes nothing and leaves the connection as it was.
extension WebSocketMachine {
    /// Sends a message as one frame.
    package mutating func send(
        _ message: WebSocketMessage, outbound: inout ByteBuffer
    ) throws(WebSocketSendError) {
        var payload: ByteBuffer?
        try send(message, outbound: &outbound, payload: &payload)
        if let payload { outbound.writeImmutableBuffer(payload) }
    }

    /// Sends a message as one frame.
    ///
    /// - Parameter payload: becomes what goes out behind `outbound`, when there is something: a large payload that
    ///   needs neither mask nor compression is not copied.
    package mutating func send(
        _ message: WebSocketMessage, outbound: inout ByteBuffer, payload: inout ByteBuffer?
    ) throws(WebSocketSendError) {
        guard isOpen else { throw .closed }
        guard outgoing == nil else { throw .messageInProgress }
        switch message {
        case .binary(let bytes):
            if transform?.shouldEncode(byteCount: bytes.readableBytes) == true {
                writeEncoded(.binary, bytes, outbound: &outbound)
            } else if role == .server, bytes.readableBytes >= Self.uncopiedBytes {
                writeFrameHead(opcode: .binary, payloadLength: bytes.readableBytes, into: &outbound)
                payload = bytes
            } else {
                write(.binary, bytes, outbound: &outbound)
            }
        case .text(let text):
            if transform?.shouldEncode(byteCount: text.utf8.count) == true {
                writeEncoded(.text, ByteBuffer(string: text), outbound: &outbound)
            } else {
                writeText(text, outbound: &outbound)
            }
        }
    }

    /// 16 KiB: copying less costs no more than another piece does that the socket is given.
    private static let uncopiedBytes = 16 << 10

    /// Sends a message that is prepared for many connections.
    package mutating func send(
        _ prepared: WebSocketPreparedMessage, outbound: inout ByteBuffer
    ) throws(WebSocketSendError) {
        guard isOpen else { throw .closed }
        guard outgoing == nil else { throw .messageInProgress }
        guard transform == nil || transform is PerMessageDeflate else {
            return try send(prepared.message, outbound: &outbound)
        }
        var deflate = transform as? PerMessageDeflate
        let settings = deflate?.settingsForShared(byteCount: prepared.payload.readableBytes)
        guard let compressed = write(prepared, settings, outbound: &outbound) else {
            return try send(prepared.message, outbound: &outbound)
        }
        guard compressed else { return }
        // The only reference to the compressor, so that it is reset and not replaced.
        transform = nil
        deflate?.sentShared()
        transform = deflate
    }

    /// Whether what was written is compressed; nil when there is no memory to make it.
    private mutating func write(
        _ prepared: WebSocketPreparedMessage, _ settings: Deflater.Settings?, outbound: inout ByteBuffer
    ) -> Bool? {
        if role == .server {
            guard let frame = prepared.frame(settings) else { return nil }
            // Nothing waits before it: the connections share its bytes.
            if outbound.readableBytes == 0 { outbound = frame } else { outbound.writeImmutableBuffer(frame) }
        } else {
            guard let payload = prepared.payload(settings) else { return nil }
            writeFrame(
                opcode: prepared.opcode, rsv1: settings != nil, payload: payload, maskKey: nextMaskKey(),
                into: &outbound)
        }
        return settings != nil
    }

    /// Sends a piece of a message as one frame. The first names the kind; the others name it again, or say
    /// `.continuation`. The message ends with `fin`. Control frames may be sent in between, another message not.
    package mutating func send(
        fragment bytes: ByteBuffer, opcode: WebSocketOpcode, fin: Bool, outbound: inout ByteBuffer
    ) throws(WebSocketSendError) {
        guard isOpen else { throw .closed }
        var message: OutgoingMessage
        let isFirst = outgoing == nil
        if let outgoing {
            guard opcode == .continuation || opcode == outgoing.opcode else { throw .wrongOpcode }
            message = outgoing
        } else {
            guard opcode != .continuation else { throw .noMessageInProgress }
            guard !opcode.isControl else { throw .wrongOpcode }
            let isTransformed = transform?.shouldEncode(byteCount: fin ? bytes.readableBytes : nil) ?? false
            message = OutgoingMessage(opcode: opcode, isTransformed: isTransformed)
        }
        if message.opcode == .text {
            let isValid = bytes.withUnsafeReadableBytes { message.validator.append($0) }
            guard isValid, !fin || message.validator.isComplete else { throw .invalidUTF8 }
        }
        let payload = message.isTransformed ? (transform?.encode(bytes, isLast: fin) ?? bytes) : bytes
        writeFrame(
            opcode: isFirst ? opcode : .continuation, fin: fin, rsv1: isFirst && message.isTransformed,
            payload: payload, maskKey: nextMaskKey(), into: &outbound)
        outgoing = fin ? nil : message
    }

    /// Sends a ping; its payload, at most 125 bytes, comes back in the pong.
    package mutating func sendPing(
        _ payload: ByteBuffer, outbound: inout ByteBuffer
    ) throws(WebSocketSendError) {
        try sendControl(.ping, payload, outbound: &outbound)
    }

    /// Sends a pong nobody asked for, a one-way heartbeat (§5.5.3). Pings are answered without it.
    package mutating func sendPong(
        _ payload: ByteBuffer, outbound: inout ByteBuffer
    ) throws(WebSocketSendError) {
        try sendControl(.pong, payload, outbound: &outbound)
    }

    /// Starts the closing handshake. A second call, or one on a connection that is over, does nothing.
    ///
    /// - Parameters:
    ///   - code: nil sends an empty close frame, which the peer sees as 1005.
    ///   - reason: at most 123 bytes of UTF-8; needs a code.
    package mutating func sendClose(
        _ code: WebSocketCloseCode?, reason: String = "", outbound: inout ByteBuffer
    ) throws(WebSocketSendError) {
        if let code, !code.mayBeSent { throw .invalidCloseCode(code) }
        if code == nil, !reason.isEmpty { throw .reasonWithoutCode }
        if reason.utf8.count > 123 { throw .controlTooLong(reason.utf8.count) }
        guard isOpen else { return }
        writeClose(code, reason: reason, outbound: &outbound)
        phase = .closing
        outgoing = nil
    }

    private mutating func sendControl(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, outbound: inout ByteBuffer
    ) throws(WebSocketSendError) {
        guard isOpen else { throw .closed }
        guard payload.readableBytes <= 125 else { throw .controlTooLong(payload.readableBytes) }
        write(opcode, payload, outbound: &outbound)
    }

    private mutating func writeEncoded(
        _ opcode: WebSocketOpcode, _ bytes: ByteBuffer, outbound: inout ByteBuffer
    ) {
        let encoded = transform?.encode(bytes, isLast: true) ?? bytes
        writeFrame(opcode: opcode, rsv1: true, payload: encoded, maskKey: nextMaskKey(), into: &outbound)
    }

    // `mutating` though they change nothing: otherwise each call would copy the machine.

    private mutating func writeText(_ text: String, outbound: inout ByteBuffer) {
        var text = text
        let key = nextMaskKey()
        text.withUTF8 { bytes in
            writeFrame(
                opcode: .text, payload: UnsafeRawBufferPointer(bytes), maskKey: key, into: &outbound)
        }
    }

    mutating func write(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, outbound: inout ByteBuffer) {
        writeFrame(opcode: opcode, payload: payload, maskKey: nextMaskKey(), into: &outbound)
    }

    mutating func writeClose(_ code: WebSocketCloseCode?, reason: String, outbound: inout ByteBuffer) {
        var payload = ByteBuffer()
        if let code {
            payload.writeInteger(code.rawValue)
            payload.writeString(reason)
        }
        write(.close, payload, outbound: &outbound)
    }

    private mutating func nextMaskKey() -> UInt32? {
        role == .client ? maskingKey() : nil
    }
}
