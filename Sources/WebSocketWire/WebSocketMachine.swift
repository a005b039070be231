package import NIOCore

/// One WebSocket connection after the opening handshake, as either role (RFC 6455 §5–§7).
///
/// Feed it with `receive`, then call `nextAction` until it says `.needMore`. What it answers by itself (pongs, the
/// echo of a close frame, the close frame for a broken rule) is appended to the `outbound` that the call is given;
/// the caller writes that when it is not empty. It has no clock: pings and timeouts are the caller's.
///
/// After our close frame the peer's messages are still delivered until its close frame comes, so that the last
/// answers of a peer are not lost (§5.5.1: only *after* its own close frame a peer may send no more).
package struct WebSocketMachine: Sendable {
    package let role: WebSocketRole
    private let maskingKey: @Sendable () -> UInt32
    private var decoder: FrameDecoder
    private var assembler: MessageAssembler
    private var transform: (any PayloadTransform)?
    /// The frame whose payload is being read.
    private var frame: FrameHeader?
    /// The payload of the control frame that is being read.
    private var control = ByteBuffer()
    private var phase = Phase.open
    /// The message that is being sent in fragments.
    private var outgoing: OutgoingMessage?

    private enum Phase: Sendable {
        /// Data both ways. Leaves on a close frame from either side, a broken rule, EOF.
        case open
        /// Our close frame was sent, the peer's did not come yet. Leaves on it, a broken rule, EOF.
        case closing
        /// Both close frames have passed; this was the peer's.
        case closed(WebSocketClose)
        /// A rule was broken, or the bytes ended without the peer's close frame.
        case aborted
    }

    private struct OutgoingMessage {
        let opcode: WebSocketOpcode
        let isTransformed: Bool
        var validator = UTF8Validator()
    }

    /// What came of the received bytes.
    package enum Action: Sendable, Hashable {
        /// Nothing to do until more bytes are received.
        case needMore
        /// A whole message.
        case message(WebSocketMessage)
        /// A ping with its payload. Its pong is in `outbound`, unless our close frame went before it.
        case ping(ByteBuffer)
        /// A pong with its payload, asked for or not.
        case pong(ByteBuffer)
        /// The peer's close frame came; ours is in `outbound` if it was not sent before. Nothing follows.
        case closing(WebSocketClose)
        /// The peer broke a rule; a close frame that says so is in `outbound`, unless one was sent before. Nothing
        /// follows.
        case failed(WebSocketProtocolError)
    }

    /// - Parameters:
    ///   - maskingKey: a fresh, unpredictable key for every frame of a client (§5.3, §10.3); not called by a server.
    ///   - transform: a negotiated extension that uses reserved bit 1; without one the bit is an error.
    package init(
        role: WebSocketRole, limits: WebSocketLimits = WebSocketLimits(),
        maskingKey: @escaping @Sendable () -> UInt32, transform: (any PayloadTransform)? = nil
    ) {
        self.role = role
        self.maskingKey = maskingKey
        self.transform = transform
        self.decoder = FrameDecoder(
            rules: FrameHeader.Rules(
                expectsMask: role == .server, allowsRSV1: transform != nil,
                maxFrameBytes: limits.maxFrameBytes))
        self.assembler = MessageAssembler(limits: limits)
    }

    /// Data and control frames may be sent.
    package var isOpen: Bool {
        if case .open = phase { true } else { false }
    }

    /// No close frame of ours may follow: one was sent, or the connection is over.
    package var closeSent: Bool { !isOpen }

    /// The peer's close frame came.
    package var closeReceived: Bool {
        if case .closed = phase { true } else { false }
    }

    /// Bytes held: received ones not yet looked at, and the unfinished message.
    package var bufferedBytes: Int {
        decoder.bufferedBytes + assembler.bufferedBytes + control.readableBytes
    }

    // MARK: Receiving

    /// Takes bytes off the connection. What comes after the end of the WebSocket is thrown away.
    package mutating func receive(_ bytes: ByteBuffer) {
        switch phase {
        case .open, .closing: decoder.append(bytes)
        case .closed, .aborted: break
        }
    }

    /// The next thing that the received bytes amount to.
    package mutating func nextAction(outbound: inout ByteBuffer) -> Action {
        switch phase {
        case .open, .closing: break
        case .closed, .aborted: return .needMore
        }
        do throws(WebSocketProtocolError) {
            return try readFrames(outbound: &outbound)
        } catch {
            if isOpen {
                writeClose(error.closeCode, reason: error.detail, outbound: &outbound)
            }
            end(.aborted)
            return .failed(error)
        }
    }

    /// The peer's output ended. How the connection closed: the peer's close frame, or 1006 when none came.
    package mutating func receiveEOF() -> WebSocketClose {
        if case .closed(let close) = phase { return close }
        end(.aborted)
        return WebSocketClose(code: .abnormalClosure)
    }

    private mutating func readFrames(outbound: inout ByteBuffer) throws(WebSocketProtocolError) -> Action {
        while true {
            guard let header = try currentFrame() else { return .needMore }
            if header.opcode.isControl {
                decoder.readPayload(into: &control)
                guard decoder.payloadRemaining == 0 else { return .needMore }
                frame = nil
                let payload = control
                control = ByteBuffer()
                return try received(header.opcode, payload, outbound: &outbound)
            }
            try assembler.append(from: &decoder, fin: header.fin, transform: &transform)
            guard decoder.payloadRemaining == 0 else { return .needMore }
            frame = nil
            if header.fin { return .message(try assembler.finish()) }
        }
    }

    /// The frame that is being read, or the next one.
    private mutating func currentFrame() throws(WebSocketProtocolError) -> FrameHeader? {
        if let frame { return frame }
        guard let next = try decoder.nextHeader() else { return nil }
        if !next.opcode.isControl { try assembler.begin(next) }
        frame = next
        return next
    }

    private mutating func received(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, outbound: inout ByteBuffer
    ) throws(WebSocketProtocolError) -> Action {
        switch opcode {
        case .ping:
            if isOpen { write(.pong, payload, outbound: &outbound) }
            return .ping(payload)
        case .pong:
            return .pong(payload)
        case .close:
            let close = try WebSocketClose(payload: payload)
            if isOpen {
                // §5.5.1: the answer repeats the code; a frame without one is answered by one without.
                let code = close.code == .noStatusReceived ? nil : close.code
                writeClose(code, reason: "", outbound: &outbound)
            }
            end(.closed(close))
            return .closing(close)
        case .continuation, .text, .binary:
            preconditionFailure("data frames go to the assembler")
        }
    }

    private mutating func end(_ phase: Phase) {
        self.phase = phase
        decoder.discard()
        assembler.discard()
        control = ByteBuffer()
        frame = nil
        outgoing = nil
    }

    // MARK: Sending

    /// Sends a message as one frame.
    package mutating func send(
        _ message: WebSocketMessage, outbound: inout ByteBuffer
    ) throws(WebSocketSendError) {
        guard isOpen else { throw .closed }
        guard outgoing == nil else { throw .messageInProgress }
        switch message {
        case .binary(let bytes):
            writeMessage(.binary, bytes, outbound: &outbound)
        case .text(let text):
            if transform != nil {
                writeMessage(.text, ByteBuffer(string: text), outbound: &outbound)
            } else {
                writeText(text, outbound: &outbound)
            }
        }
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

    private mutating func writeMessage(
        _ opcode: WebSocketOpcode, _ bytes: ByteBuffer, outbound: inout ByteBuffer
    ) {
        guard transform?.shouldEncode(byteCount: bytes.readableBytes) == true,
            let encoded = transform?.encode(bytes, isLast: true)
        else {
            write(opcode, bytes, outbound: &outbound)
            return
        }
        writeFrame(opcode: opcode, rsv1: true, payload: encoded, maskKey: nextMaskKey(), into: &outbound)
    }

    private func writeText(_ text: String, outbound: inout ByteBuffer) {
        var text = text
        let key = nextMaskKey()
        text.withUTF8 { bytes in
            writeFrame(
                opcode: .text, payload: UnsafeRawBufferPointer(bytes), maskKey: key, into: &outbound)
        }
    }

    private func write(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, outbound: inout ByteBuffer) {
        writeFrame(opcode: opcode, payload: payload, maskKey: nextMaskKey(), into: &outbound)
    }

    private func writeClose(_ code: WebSocketCloseCode?, reason: String, outbound: inout ByteBuffer) {
        var payload = ByteBuffer()
        if let code {
            payload.writeInteger(code.rawValue)
            payload.writeString(reason)
        }
        write(.close, payload, outbound: &outbound)
    }

    private func nextMaskKey() -> UInt32? {
        role == .client ? maskingKey() : nil
    }
}
